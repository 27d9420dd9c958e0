import type { EvaluateOutcome, WarmStartOutcome } from './outcomes.js';
import { stopIfAsked } from './policy-slot.js';
import { duration } from './progress.js';
import type { RunStageEntity } from './run.entity.js';
import type { RunContext } from './run-context.js';
import { evaluateStage } from './stages/evaluate.stage.js';
import { pairStage } from './stages/pair.stage.js';
import { gateStage, publishStage } from './stages/publish.stage.js';
import { sampleStage } from './stages/sample.stage.js';
import { trainStage } from './stages/train.stage.js';
import { warmStartStage } from './stages/warm-start.stage.js';
import { beginStage, endStage, type StageName } from './store/run-store.js';
import type { Trainer } from './train.js';

/** The stages of a run after its plan. Those that are done are passed over, which is how an interrupted run goes on. */
export async function runStages(context: RunContext, trainer: Trainer): Promise<void> {
  const { iterations } = context.settings;
  await stage(context, 0, 'sample', (row) => sampleStage(context, row));
  await stage(context, 0, 'pair', () => pairStage(context, 0));
  await warmStart(context);
  let last: EvaluateOutcome | undefined;
  for (let iteration = 1; iteration <= iterations; iteration++) {
    await stage(context, iteration, 'sample', (row) => sampleStage(context, row));
    await stage(context, iteration, 'pair', () => pairStage(context, iteration));
    const trained = await stage(context, iteration, 'train', () => trainStage(context, iteration));
    await removeOutdated(context, iteration);
    last = await stage(context, iteration, 'evaluate', () => evaluateStage(context, iteration, trained));
  }
  await stage(context, iterations + 1, 'gate', async () => gateStage(context, last!));
  await stage(context, iterations + 1, 'publish', () => publishStage(context, trainer, last!));
}

/** Does a stage unless it is done, and returns what came of it either way. */
async function stage<T extends object>(
  context: RunContext,
  iteration: number,
  name: StageName,
  work: (row: RunStageEntity) => Promise<T>,
): Promise<T> {
  const row = await begin(context, iteration, name);
  if (row.status === 'done') return row.outcome as T;
  const startedAt = Date.now();
  const outcome = await work(row);
  await endStage(context.lease, row, 'done', outcome);
  context.progress.line(
    `${title(context, iteration, name)} done in ${duration(Date.now() - startedAt)}${remark(outcome)}`,
  );
  return outcome;
}

async function warmStart(context: RunContext): Promise<void> {
  const row = await begin(context, 0, 'warm-start');
  if (row.status === 'running') {
    const { outcome, ...rest } = await warmStartStage(context);
    const result = 'result' in rest ? (rest.result satisfies WarmStartOutcome) : { reason: rest.reason };
    await endStage(context.lease, row, outcome, result);
    context.progress.line(`warm start ${outcome}${'reason' in result ? `: ${result.reason}` : remark(result)}`);
    row.status = outcome;
  }
  context.warmStarted = row.status === 'done';
}

async function begin(context: RunContext, iteration: number, name: StageName): Promise<RunStageEntity> {
  stopIfAsked(context.signal);
  const row = await beginStage(context.lease, context.run.id, iteration, name);
  if (row.status === 'running') {
    const again = row.attempt > 1 ? ` (attempt ${row.attempt})` : '';
    context.progress.line(`${title(context, iteration, name)} …${again}`);
  }
  return row;
}

const TITLES: Partial<Record<StageName, string>> = {
  sample: 'sample the held-out chosen',
  pair: 'score the held-out pairs',
  'warm-start': 'warm start on seed pairs',
};

function title({ settings }: RunContext, iteration: number, name: StageName): string {
  if (iteration === 0) return TITLES[name] ?? name;
  return iteration > settings.iterations ? name : `iteration ${iteration} of ${settings.iterations}: ${name}`;
}

/** The figures of an outcome that tell whether it went well. */
function remark(outcome: object): string {
  const parts: string[] = [];
  if ('anchors' in outcome && 'pairs' in outcome) parts.push(`${outcome.pairs} pairs of ${outcome.anchors} anchors`);
  if ('unfinished' in outcome) parts.push(`${outcome.unfinished} unfinished`);
  if ('heldOut' in outcome) parts.push(`held-out margin ${(outcome as EvaluateOutcome).heldOut.marginMean.toFixed(4)}`);
  if ('version' in outcome) parts.push(String(outcome.version));
  return parts.length > 0 ? `: ${parts.join(', ')}` : '';
}

/** The checkpoint that the iteration started from is not needed any more, unless the loss refers to it to the end. */
async function removeOutdated({ files, settings }: RunContext, iteration: number): Promise<void> {
  const before = iteration - 1;
  if (before === 0 && settings.reference === 'seed') return;
  await files.removeCheckpoint(before);
}
