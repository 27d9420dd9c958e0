import type { DataSource } from 'typeorm';
import { readAnchorCases } from '../../anchor/anchor-read.js';
import type { PlanOutcome } from '../outcomes.js';
import { prepareAnchor } from '../prompt/prepare-anchor.js';
import type { PromptTokenizer } from '../prompt/shorten.js';
import type { RunSettings } from '../settings.js';
import type { AnchorDecision } from '../store/run-store.js';
import { readPrecisions } from './anchor-precision.js';
import { type Choice, chooseAnchors, type Fitness } from './choose-anchors.js';
import type { Given } from './influence.js';
import { contentHash, snapshotHash } from './snapshot.js';
import { type Candidate, orderCandidates, type Split, splitOf } from './split.js';

export interface Plan {
  decisions: AnchorDecision[];
  snapshotHash: string;
  outcome: PlanOutcome;
}

interface ActiveAnchor extends Candidate, Given {
  /** Whether the last done run on anchors of this origin did not know it. */
  isNew: boolean;
}

export async function readActiveAnchors(
  dataSource: DataSource,
  origin: RunSettings['origin'],
): Promise<ActiveAnchor[]> {
  return dataSource.query<ActiveAnchor[]>(
    `SELECT a.id, a.conversation_id AS "conversationId", a.tenant, feedback.user_id AS "userId",
       count(used.run_id) FILTER (WHERE used.decision = 'train')::int AS "timesTrained",
       bool_and(last.id IS NULL OR used.run_id IS DISTINCT FROM last.id) AS "isNew"
     FROM anchors a
     LEFT JOIN turns feedback ON feedback.conversation_id = a.conversation_id AND feedback.turn = a.turn
     LEFT JOIN (
       SELECT id FROM runs WHERE status = 'done' AND coalesce(settings->>'origin', 'observed') = $1
       ORDER BY ended_at DESC LIMIT 1
     ) last ON true
     LEFT JOIN (run_anchors used JOIN runs done ON done.id = used.run_id AND done.status = 'done') ON used.anchor_id = a.id
     WHERE a.state = 'active' AND $1 IN (a.origin, 'any') GROUP BY a.id, feedback.user_id`,
    [origin],
  );
}

/**
 * Chooses the anchors of a run, and says of every active one what became of it. Texts are read page by page, and no
 * more of them than the run needs.
 */
export async function planRun(
  dataSource: DataSource,
  tokenizer: PromptTokenizer,
  settings: RunSettings,
  active: readonly ActiveAnchor[],
): Promise<Plan> {
  const ordered = orderCandidates(active);
  const side = (split: Split) => ordered.filter(({ conversationId }) => splitOf(conversationId) === split);
  const look = (mode: RunSettings['sampling']) => (ids: string[]) =>
    fitnessOf(dataSource, tokenizer, settings, mode, ids);
  const most = settings.anchors ?? Number.POSITIVE_INFINITY;
  const precisions = await readPrecisions(
    dataSource,
    active.map(({ id }) => id),
  );
  const [trusted, doubtful] = sortByPrecision(side('train'), precisions, settings);
  const train = await chooseAnchors(trusted, most, settings, look(settings.sampling));
  for (const { id } of doubtful) train.dropped.set(id, 'low-precision');
  const heldOut = await chooseAnchors(side('held-out'), settings.heldOutAnchors, settings, look('guided'));
  const anchors = {
    active: active.length,
    new: active.filter(({ isNew }) => isNew).length,
    train: train.chosen.length,
    heldOut: heldOut.chosen.length,
    spare: train.spare.length + heldOut.spare.length,
  };
  return {
    decisions: [...decisionsOf(train, 'train', precisions), ...decisionsOf(heldOut, 'held-out', precisions)],
    snapshotHash: snapshotHash([...train.chosen, ...heldOut.chosen]),
    outcome: { anchors, dropped: countBy([...train.dropped.values(), ...heldOut.dropped.values()]) },
  };
}

async function fitnessOf(
  dataSource: DataSource,
  tokenizer: PromptTokenizer,
  settings: RunSettings,
  mode: RunSettings['sampling'],
  ids: string[],
): Promise<Fitness[]> {
  const cases = await readAnchorCases(dataSource, { ids });
  const byId = new Map(cases.map((anchor) => [anchor.id, anchor]));
  return ids.map((id) => {
    const texts = byId.get(id);
    const prepared = texts && prepareAnchor(tokenizer, texts, settings, mode);
    if (prepared?.outcome === 'ready') return { id, outcome: 'fit', contentHash: contentHash(texts!) };
    return { id, outcome: 'dropped', reason: prepared?.reason ?? 'no-longer-active' };
  });
}

/** Those that may be trained on, and those whose rubric is too often wrong. What is held out measures all of them. */
function sortByPrecision<T extends { id: string }>(
  candidates: readonly T[],
  precisions: Precisions,
  { verdictConfidence, leastPrecision }: RunSettings,
): [trusted: T[], doubtful: T[]] {
  const isDoubtful = ({ id }: T) => verdictConfidence === 'threshold' && (precisions.get(id) ?? 1) < leastPrecision;
  return [candidates.filter((one) => !isDoubtful(one)), candidates.filter(isDoubtful)];
}

type Precisions = ReadonlyMap<string, number | null>;

function decisionsOf({ chosen, dropped, spare }: Choice, split: Split, precisions: Precisions): AnchorDecision[] {
  const decisions = [
    ...chosen.map(({ id }, position) => ({ anchorId: id, decision: split, position })),
    ...[...dropped].map(([anchorId, decision]) => ({ anchorId, decision, position: null })),
    ...spare.map((anchorId) => ({ anchorId, decision: 'spare', position: null })),
  ];
  return decisions.map((one) => ({ ...one, precision: precisions.get(one.anchorId) ?? null }));
}

export function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
