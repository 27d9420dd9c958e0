import type { DataSource } from 'typeorm';
import { readAnchorCases } from '../anchor/anchor-read.js';
import type {
  EvaluateOutcome,
  MarginSummary,
  PlanOutcome,
  PublishOutcome,
  SampleOutcome,
  WarmStartOutcome,
} from './outcomes.js';
import { RunEntity, type RunStageEntity } from './run.entity.js';
import { readPairs } from './store/pair-store.js';
import { readStages } from './store/run-store.js';

/** A held-out anchor with the replies of the run's starting and final policy to its prompt. */
export interface RepliesOf {
  anchorId: string;
  /** The user's request: the last turn of the prompt. */
  request: string;
  rejected: string;
  feedback: string;
  before: string;
  after: string;
}

/** What a run did: the last line of `driftloop train --json`. */
export interface TrainSummary {
  outcome: 'published';
  run: string;
  version: string;
  parent: string | null;
  uri: string;
  snapshotHash: string;
  anchors: PlanOutcome['anchors'];
  dropped: PlanOutcome['dropped'];
  warmStart: ({ status: 'done' } & WarmStartOutcome) | { status: 'skipped'; reason: string };
  iterations: (EvaluateOutcome & { iteration: number; sample: SampleOutcome })[];
  /** The training pairs of all iterations under the final against the starting policy. */
  rescored: MarginSummary;
  replies: RepliesOf[];
  seconds: number;
}

/** Reads from its rows what a run that is done did. */
export async function summarizeRun(dataSource: DataSource, runId: string): Promise<TrainSummary> {
  const run = await dataSource.getRepository(RunEntity).findOneByOrFail({ id: runId });
  const stages = await readStages(dataSource, runId);
  const plan = outcomeOf<PlanOutcome>(stages, 'plan', 0);
  const evaluated = stages.filter(({ stage }) => stage === 'evaluate');
  const iterations = evaluated.map(({ iteration }) => ({
    iteration,
    sample: outcomeOf<SampleOutcome>(stages, 'sample', iteration),
    ...outcomeOf<EvaluateOutcome>(stages, 'evaluate', iteration),
  }));
  return {
    outcome: 'published',
    run: runId,
    parent: run.startVersion,
    ...outcomeOf<PublishOutcome>(stages, 'publish', iterations.length + 1),
    snapshotHash: run.snapshotHash!,
    ...plan,
    warmStart: warmStartOf(stages),
    iterations,
    rescored: iterations.at(-1)!.rescored!,
    replies: await readReplies(dataSource, runId),
    seconds: Math.round(((run.endedAt ?? new Date()).getTime() - run.startedAt.getTime()) / 1000),
  };
}

function outcomeOf<T extends object>(stages: readonly RunStageEntity[], stage: string, iteration: number): T {
  return stages.find((row) => row.stage === stage && row.iteration === iteration)!.outcome as T;
}

function warmStartOf(stages: readonly RunStageEntity[]): TrainSummary['warmStart'] {
  const { status, outcome } = stages.find(({ stage }) => stage === 'warm-start')!;
  if (status === 'skipped') return { status, reason: String(outcome?.reason) };
  return { status: 'done', ...(outcome as object as WarmStartOutcome) };
}

async function readReplies(dataSource: DataSource, runId: string): Promise<RepliesOf[]> {
  const pairs = await readPairs(dataSource, { runId, iteration: 0, split: 'held-out' });
  const cases = await readAnchorCases(dataSource, { ids: pairs.map(({ anchorId }) => anchorId) });
  const byId = new Map(cases.map((anchor) => [anchor.id, anchor]));
  return pairs.flatMap(({ anchorId, scores }) => {
    const [anchor, { before, after } = {}] = [byId.get(anchorId), scores.replies];
    if (!anchor || before === undefined || after === undefined) return [];
    const request = anchor.prompt.at(-1)?.content ?? '';
    return [{ anchorId, request, rejected: anchor.rejected, feedback: anchor.feedback ?? '', before, after }];
  });
}
