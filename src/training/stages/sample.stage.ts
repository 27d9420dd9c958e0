import { readAnchorCases } from '../../anchor/anchor-read.js';
import type { SampleOutcome } from '../outcomes.js';
import { countBy } from '../plan/plan-run.js';
import { stopIfAsked } from '../policy-slot.js';
import { prepareAnchor } from '../prompt/prepare-anchor.js';
import type { RunStageEntity } from '../run.entity.js';
import { policyAfter, type RunContext } from '../run-context.js';
import { type PlannedAnchor, type SampledShard, type SamplingTask, sampleShard } from '../sampling/sample-chosen.js';
import { type RunSettings, SHARD } from '../settings.js';
import { insertPairs } from '../store/pair-store.js';
import { readPlanned, saveProgress } from '../store/run-store.js';

interface ShardOutcome extends SampleOutcome {
  shard: number;
}

/**
 * Samples the chosen of each training anchor from the policy at the iteration's start; in iteration 0 the held-out
 * ones, always guided, from the run's starting policy.
 */
export async function sampleStage(context: RunContext, row: RunStageEntity): Promise<SampleOutcome> {
  const { iteration } = row;
  const split = iteration === 0 ? 'held-out' : 'train';
  const mode = iteration === 0 ? 'guided' : context.settings.sampling;
  const source = iteration === 0 ? context.start : policyAfter(context, iteration - 1);
  const planned = await readPlanned(context.dataSource, context.run.id, split);
  const done: ShardOutcome[] = (row.outcome?.shards as ShardOutcome[] | undefined) ?? [];
  for (let shard = done.length; shard * SHARD < planned.length; shard++) {
    stopIfAsked(context.signal);
    const anchors = planned.slice(shard * SHARD, (shard + 1) * SHARD);
    const { ready, dropped } = await prepare(context, anchors, mode);
    const onProgress = (samples: number) =>
      context.progress.tick(
        () => `  ${samples} samples for anchors ${shard * SHARD + 1} to ${shard * SHARD + anchors.length}`,
      );
    const task: SamplingTask = { iteration, settings: context.settings, onProgress };
    const sampled = await sampleShard(await context.slot.use(source), context.tokenizer, ready, task);
    done.push({ shard, ...outcomeOf(anchors.length, ready, sampled, dropped) });
    await context.lease.write(async (manager) => {
      await insertPairs(manager, { runId: context.run.id, iteration, split }, sampled.pairs);
      await saveProgress(manager, row, { shards: done });
    });
  }
  return total(done);
}

async function prepare(
  context: RunContext,
  planned: readonly { anchorId: string; position: number }[],
  mode: RunSettings['sampling'],
): Promise<{ ready: PlannedAnchor[]; dropped: string[] }> {
  const cases = await readAnchorCases(context.dataSource, {
    ids: planned.map(({ anchorId }) => anchorId),
    state: 'active',
  });
  const byId = new Map(cases.map((anchor) => [anchor.id, anchor]));
  const ready: PlannedAnchor[] = [];
  const dropped: string[] = [];
  for (const { anchorId, position } of planned) {
    const texts = byId.get(anchorId);
    const prepared = texts && prepareAnchor(context.tokenizer, texts, context.settings, mode);
    if (prepared?.outcome === 'ready') ready.push({ position, anchor: prepared.anchor });
    else dropped.push(prepared?.reason ?? 'no-longer-active');
  }
  return { ready, dropped };
}

function outcomeOf(
  anchors: number,
  ready: readonly PlannedAnchor[],
  { pairs, samples, refusals, dropped }: SampledShard,
  unprepared: string[],
): SampleOutcome {
  const paired = new Set(pairs.map(({ anchorId }) => anchorId));
  return {
    anchors,
    pairs: pairs.length,
    samples,
    unfinished: pairs.filter(({ sampling }) => sampling?.finish === 'length').length,
    rejectedCut: ready.filter(({ anchor }) => paired.has(anchor.anchorId) && anchor.rejected.cut).length,
    refusals: countBy(refusals),
    dropped: countBy([...unprepared, ...dropped]),
  };
}

function total(shards: readonly ShardOutcome[]): SampleOutcome {
  const sum = (of: (outcome: SampleOutcome) => number) => shards.reduce((all, outcome) => all + of(outcome), 0);
  return {
    anchors: sum(({ anchors }) => anchors),
    pairs: sum(({ pairs }) => pairs),
    samples: sum(({ samples }) => samples),
    unfinished: sum(({ unfinished }) => unfinished),
    rejectedCut: sum(({ rejectedCut }) => rejectedCut),
    refusals: addCounts(shards.map(({ refusals }) => refusals)),
    dropped: addCounts(shards.map(({ dropped }) => dropped)),
  };
}

function addCounts(all: readonly Partial<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [reason, count] of all.flatMap((counts) => Object.entries(counts)))
    sums[reason] = (sums[reason] ?? 0) + (count ?? 0);
  return sums;
}
