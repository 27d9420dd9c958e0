import { oneLine } from '../harmless.js';
import type { MarginSummary } from './outcomes.js';
import { duration } from './progress.js';
import type { RepliesOf } from './summary.js';
import type { TrainResult } from './train.js';

/** What a run did, for people. */
export function renderResult(result: TrainResult): string {
  if (result.outcome === 'nothing-to-do') return result.why;
  const { run, version, parent, uri, anchors, warmStart, iterations, rescored, replies, seconds } = result;
  return [
    `Run ${run} published ${version} (from ${parent ?? 'the base model'}) in ${duration(seconds * 1000)}: ${uri}`,
    `  anchors     ${anchors.train} training, ${anchors.heldOut} held out, of ${anchors.active} active`,
    `  warm start  ${warmStart.status === 'done' ? `${warmStart.pairs} seed pairs` : `skipped: ${warmStart.reason}`}`,
    '  held out, against the policy that the run started from:',
    ...iterations.map(({ iteration, heldOut }) => `    after iteration ${iteration}  ${margins(heldOut)}`),
    '  training pairs of all iterations, scored again:',
    `    final policy       ${margins(rescored)}`,
    ...replies.slice(0, 1).flatMap(sideBySide),
  ].join('\n');
}

function margins({ marginMean, marginLow, marginHigh, chosenReward, rejectedReward, accuracy }: MarginSummary): string {
  const [mean, low, high] = [marginMean, marginLow, marginHigh].map((value) => value.toFixed(4));
  return `margin ${mean} [${low}, ${high}], chosen ${chosenReward.toFixed(4)}, rejected ${rejectedReward.toFixed(4)}, accuracy ${accuracy.toFixed(2)}`;
}

export function sideBySide({
  request,
  feedback,
  before,
  after,
}: Pick<RepliesOf, 'request' | 'feedback' | 'before' | 'after'>): string[] {
  return [
    '  a held-out anchor:',
    ...Object.entries({ request, feedback, before, after }).map(
      ([name, text]) => `    ${name.padEnd(8)}  ${excerpt(text)}`,
    ),
  ];
}

const SHOWN = 300;

function excerpt(text: string): string {
  const line = oneLine(text);
  return line.length <= SHOWN ? line : `${line.slice(0, SHOWN)}…`;
}
