import type { DataSource } from 'typeorm';
import type { AnchorCase } from './anchor.js';
import { type AnchorFilter, readAnchorCases } from './anchor-read.js';

const PAGE = 500;

/** Anchors as lines of TRL preference JSONL without `chosen`, newest first. Reads page by page: an export may be large. */
export async function* exportLines(dataSource: DataSource, filter: AnchorFilter): AsyncGenerator<string> {
  let { after, limit: left = Number.POSITIVE_INFINITY } = filter;
  while (left > 0) {
    const limit = Math.min(PAGE, left);
    const cases = await readAnchorCases(dataSource, { ...filter, after, limit });
    for (const anchor of cases) yield `${JSON.stringify(preferenceOf(anchor))}\n`;
    if (cases.length < limit) return;
    left -= cases.length;
    after = cases.at(-1)?.id;
  }
}

function preferenceOf({ id, prompt, rejected, feedback, ...anchor }: AnchorCase) {
  return { id, prompt, rejected: [{ role: 'assistant', content: rejected }], feedback, ...anchor };
}
