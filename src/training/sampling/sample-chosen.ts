import { deriveSeed } from '../../seeds.js';
import type { EnginePolicy, Sample } from '../engine/training-engine.js';
import type { PreparedAnchor } from '../prompt/prepare-anchor.js';
import type { PromptTokenizer } from '../prompt/shorten.js';
import { allowsUnfinished, type RunSettings } from '../settings.js';
import type { PairRow, SamplingFacts } from '../store/pair-row.js';
import { type Refusal, refusalOf } from './verify-positive.js';

export interface PlannedAnchor {
  position: number;
  anchor: PreparedAnchor;
}

export interface SamplingTask {
  iteration: number;
  settings: RunSettings;
  onProgress?: (samples: number) => void;
}

export interface SampledShard {
  pairs: PairRow[];
  samples: number;
  refusals: Refusal[];
  /** Reason of the last try of each anchor that ran out of tries. */
  dropped: Refusal[];
}

/**
 * Samples a chosen for each anchor of a shard, again for those whose sample failed verification. The seed of each try
 * follows from run seed, iteration, anchor and try, so that a shard sampled again is the same shard.
 */
export async function sampleShard(
  policy: EnginePolicy,
  tokenizer: PromptTokenizer,
  shard: readonly PlannedAnchor[],
  task: SamplingTask,
): Promise<SampledShard> {
  const result: SampledShard = { pairs: [], samples: 0, refusals: [], dropped: [] };
  const refusalsOf = new Map<string, Refusal[]>(shard.map(({ anchor }) => [anchor.anchorId, []]));
  let open = [...shard];
  for (let attempt = 1; attempt <= task.settings.tries && open.length > 0; attempt++) {
    const seedOf = ({ anchor }: PlannedAnchor) =>
      deriveSeed(task.settings.seed, task.iteration, anchor.anchorId, attempt);
    const samples = await draw(policy, open, task, seedOf, result.samples);
    result.samples += samples.length;
    open = open.filter((planned, index) => {
      const { anchorId } = planned.anchor;
      const refusals = refusalsOf.get(anchorId)!;
      const facts = { mode: planned.anchor.mode, seed: seedOf(planned), try: attempt, refusals: [...refusals] };
      const verified = verify(tokenizer, planned, samples[index]!, facts, task.settings);
      if (typeof verified !== 'string') result.pairs.push(verified);
      else refusals.push(verified);
      return typeof verified === 'string';
    });
  }
  result.pairs.sort((a, b) => a.position - b.position);
  result.refusals = [...refusalsOf.values()].flat();
  result.dropped = open.map(({ anchor }) => refusalsOf.get(anchor.anchorId)!.at(-1)!);
  return result;
}

async function draw(
  policy: EnginePolicy,
  open: readonly PlannedAnchor[],
  { settings, onProgress }: SamplingTask,
  seedOf: (planned: PlannedAnchor) => number,
  before: number,
): Promise<Sample[]> {
  const { temperature, topP, minP, repetitionPenalty, newTokens } = settings;
  const requests = open.map((planned) => ({ promptIds: planned.anchor.samplingPromptIds, seed: seedOf(planned) }));
  const how = { temperature, topP, topK: 0, minP, repetitionPenalty, maxNewTokens: newTokens };
  return policy.sample(requests, how, (done) => onProgress?.(before + done));
}

/** The pair that a sample makes, or why it makes none. */
function verify(
  tokenizer: PromptTokenizer,
  { position, anchor }: PlannedAnchor,
  sample: Sample,
  facts: Omit<SamplingFacts, 'finish'>,
  settings: RunSettings,
): PairRow | Refusal {
  const ids = sample.ids.slice(0, anchor.budget);
  const finish = ids.length < sample.ids.length ? 'length' : sample.finish;
  const text = tokenizer.decode(ids, { skipSpecial: true });
  const tokens = ids.length - (finish === 'eos' ? 1 : 0);
  const { rejected } = anchor;
  const rejectedTokens = rejected.ids.length - (rejected.cut ? 0 : 1);
  const expected = {
    text: rejected.text,
    tokens: Math.min(rejectedTokens, settings.newTokens),
    asked: anchor.asked,
  };
  const refusal = refusalOf({ text, tokens, finish }, expected, allowsUnfinished(settings));
  if (refusal !== null) return refusal;
  return {
    anchorId: anchor.anchorId,
    position,
    promptIds: anchor.promptIds,
    chosenIds: ids,
    rejectedIds: rejected.ids,
    chosen: text,
    rejected: rejected.text,
    sampling: { ...facts, finish },
    scores: {},
  };
}
