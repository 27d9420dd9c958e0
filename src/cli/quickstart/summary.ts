import { fileURLToPath } from 'node:url';
import { renderResult } from '../../training/render-summary.js';
import type { TrainSummary } from '../../training/summary.js';
import { type Found, renderFound } from './found.js';

/** The last words of the quickstart: what was found, what the run did, where the files are. */
export function renderSummary(summary: TrainSummary, found: Found, stateDir: string): string {
  const policy = fileURLToPath(summary.uri);
  return [
    renderFound(found),
    '',
    renderResult(summary).replace(/^/gm, '  '),
    '',
    `  policy ${summary.version}  ${policy}`,
    `  logs       ${stateDir}/logs`,
    '',
    `  npx driftloop policies compare ${summary.parent ?? 'base'} ${summary.version}   the other held-out anchors`,
    '  npx driftloop anchors list               what displeased',
  ].join('\n');
}
