import type { DataSource } from 'typeorm';
import { readAnchorCases } from '../../anchor/anchor-read.js';
import type { PlanOutcome } from '../outcomes.js';
import { type AnchorTexts, type Preparation, prepareAnchor } from '../prompt/prepare-anchor.js';
import type { PromptTokenizer } from '../prompt/shorten.js';
import type { RunSettings } from '../settings.js';
import type { AnchorDecision } from '../store/run-store.js';
import { contentHash, snapshotHash } from './snapshot.js';
import { type Candidate, orderCandidates, type Split, splitOf } from './split.js';

export interface Plan {
  decisions: AnchorDecision[];
  snapshotHash: string;
  outcome: PlanOutcome;
}

interface ActiveAnchor extends Candidate {
  /** Whether the last done run on anchors of this origin did not know it. */
  isNew: boolean;
}

export async function readActiveAnchors(
  dataSource: DataSource,
  origin: RunSettings['origin'],
): Promise<ActiveAnchor[]> {
  return dataSource.query<ActiveAnchor[]>(
    `SELECT a.id, a.conversation_id AS "conversationId",
       count(used.run_id) FILTER (WHERE used.decision = 'train')::int AS "timesTrained",
       bool_and(last.id IS NULL OR used.run_id IS DISTINCT FROM last.id) AS "isNew"
     FROM anchors a
     LEFT JOIN (
       SELECT id FROM runs WHERE status = 'done' AND coalesce(settings->>'origin', 'observed') = $1
       ORDER BY ended_at DESC LIMIT 1
     ) last ON true
     LEFT JOIN (run_anchors used JOIN runs done ON done.id = used.run_id AND done.status = 'done') ON used.anchor_id = a.id
     WHERE a.state = 'active' AND $1 IN (a.origin, 'any') GROUP BY a.id`,
    [origin],
  );
}

const PAGE = 64;

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
  const train = await choose(dataSource, tokenizer, settings, side('train'), 'train');
  const heldOut = await choose(dataSource, tokenizer, settings, side('held-out'), 'held-out');
  const decisions = [...train.decisions, ...heldOut.decisions];
  const count = (wanted: string) => decisions.filter(({ decision }) => decision === wanted).length;
  const anchors = {
    active: active.length,
    new: active.filter(({ isNew }) => isNew).length,
    train: count('train'),
    heldOut: count('held-out'),
    spare: count('spare'),
  };
  return {
    decisions,
    snapshotHash: snapshotHash([...train.chosen, ...heldOut.chosen]),
    outcome: { anchors, dropped: countBy([...train.dropped, ...heldOut.dropped]) },
  };
}

interface Choice {
  decisions: AnchorDecision[];
  chosen: { id: string; contentHash: string }[];
  dropped: string[];
}

async function choose(
  dataSource: DataSource,
  tokenizer: PromptTokenizer,
  settings: RunSettings,
  candidates: readonly Candidate[],
  split: Split,
): Promise<Choice> {
  const most = split === 'train' ? (settings.anchors ?? Number.POSITIVE_INFINITY) : settings.heldOutAnchors;
  const mode = split === 'train' ? settings.sampling : 'guided';
  const choice: Choice = { decisions: [], chosen: [], dropped: [] };
  const isFull = () => choice.chosen.length >= most;
  for (let at = 0; at < candidates.length; at += PAGE) {
    const ids = candidates.slice(at, at + PAGE).map(({ id }) => id);
    const cases = isFull() ? [] : await readAnchorCases(dataSource, { ids });
    const byId = new Map(cases.map((anchor) => [anchor.id, anchor]));
    for (const id of ids) {
      const texts = byId.get(id);
      if (isFull() || !texts) choice.decisions.push({ anchorId: id, decision: 'spare', position: null });
      else decide(choice, split, texts, prepareAnchor(tokenizer, texts, settings, mode));
    }
  }
  return choice;
}

function decide(choice: Choice, split: Split, texts: AnchorTexts, prepared: Preparation): void {
  if (prepared.outcome === 'dropped') {
    choice.dropped.push(prepared.reason);
    choice.decisions.push({ anchorId: texts.id, decision: prepared.reason, position: null });
  } else {
    choice.decisions.push({ anchorId: texts.id, decision: split, position: choice.chosen.length });
    choice.chosen.push({ id: texts.id, contentHash: contentHash(texts) });
  }
}

export function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
