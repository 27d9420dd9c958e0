import type { SeedPairCase } from '../../anchor/anchor.js';
import { readSeedPairs } from '../../anchor/anchor-read.js';
import type { ReferencedPair } from '../engine/training-engine.js';
import type { WarmStartOutcome } from '../outcomes.js';
import { pickWithinShares } from '../plan/influence.js';
import { orderCandidates, splitOf } from '../plan/split.js';
import { boundReply, prepareAnchor } from '../prompt/prepare-anchor.js';
import { summarizeMargins } from '../rewards.js';
import type { RunContext } from '../run-context.js';
import { scorePairs } from '../score-pairs.js';
import type { PairRow } from '../store/pair-row.js';
import { insertPairs, readPairs } from '../store/pair-store.js';
import { trainPairs } from '../train-pairs.js';
import { scoreHeldOut } from './held-out.js';

/** Fewer seed pairs say too little to start from. */
const FEWEST_PAIRS = 8;

export type WarmStart = { outcome: 'done'; result: WarmStartOutcome } | { outcome: 'skipped'; reason: string };

/** DPO on seed pairs, where the run starts from the base model. No pair is of a held-out conversation. */
export async function warmStartStage(context: RunContext): Promise<WarmStart> {
  const { settings, run, dataSource } = context;
  if (!settings.warmStart) return skipped('switched off');
  if (run.startVersion !== null) return skipped(`the run starts from ${run.startVersion}, not from the base model`);
  const set = { runId: run.id, iteration: 0, split: 'warm-start' } as const;
  if ((await readPairs(dataSource, set)).length === 0) {
    const pairs = await choosePairs(context);
    if (pairs.length < FEWEST_PAIRS) return skipped(`${pairs.length} usable seed pairs, fewer than ${FEWEST_PAIRS}`);
    const logps = await scorePairs(context, context.start, pairs);
    const referenced = pairs.map((pair, index) => ({ ...pair, scores: { reference: logps[index]! } }));
    await context.lease.write((manager) => insertPairs(manager, set, referenced));
  }
  return { outcome: 'done', result: await train(context, await readPairs(dataSource, set)) };
}

const skipped = (reason: string): WarmStart => ({ outcome: 'skipped', reason });

async function choosePairs(context: RunContext): Promise<PairRow[]> {
  const { settings } = context;
  const seeds = await readSeedPairs(context.dataSource);
  const usable = seeds.filter(({ conversationId }) => splitOf(conversationId) === 'train');
  const pairs = orderCandidates(usable.map((seed) => ({ ...seed, timesTrained: 0 }))).flatMap((seed) =>
    tokenized(context, seed).map((pair) => ({ ...seed, pair })),
  );
  const { chosen } = pickWithinShares(pairs, settings.warmStartPairs ?? pairs.length, settings);
  return chosen.map(({ pair }, position) => ({ ...pair, position }));
}

function tokenized({ tokenizer, settings }: RunContext, seed: SeedPairCase): Omit<PairRow, 'position'>[] {
  const prepared = prepareAnchor(tokenizer, seed, settings, 'unguided');
  if (prepared.outcome === 'dropped' || seed.chosen.trim() === '') return [];
  const { promptIds, rejected, budget } = prepared.anchor;
  const chosen = boundReply(tokenizer, seed.chosen, budget);
  return [
    {
      anchorId: seed.id,
      promptIds,
      chosenIds: chosen.ids,
      rejectedIds: rejected.ids,
      chosen: chosen.text,
      rejected: rejected.text,
      sampling: null,
      scores: {},
    },
  ];
}

async function train(context: RunContext, pairs: readonly PairRow[]): Promise<WarmStartOutcome> {
  const { settings, start } = context;
  const referenced: ReferencedPair[] = pairs.map(({ promptIds, chosenIds, rejectedIds, scores }) => ({
    promptIds,
    chosenIds,
    rejectedIds,
    reference: scores.reference!,
  }));
  const task = { iteration: 0, source: start, epochs: settings.warmStartEpochs, referenceIsPolicy: true };
  const trained = await trainPairs(context, referenced, task);
  context.warmStarted = true;
  const heldOut = await scoreHeldOut(context, 0);
  return { pairs: pairs.length, train: trained, heldOut: summarizeMargins(heldOut, settings.beta, settings.seed) };
}
