import type { EntityManager } from 'typeorm';
import { followEvidence } from '../../anchor/follow-evidence.js';
import type { RecordedCases } from '../../anchor/record-final.js';
import type { TurnFeedback } from '../../chat-log/turn.js';
import type { Label, Verdict } from '../verdict.js';
import type { JudgedTurn } from '../verdict-rows.js';
import { joinEvidence } from './join-evidence.js';

export interface LateFeedback extends RecordedCases {
  /** Verdicts that feedback changed, as they are now. */
  reweighed: Verdict[];
}

/**
 * Joins feedback that comes after the verdict: the verdict, its anchor and its seed pairs become what they would be had it
 * come before. Once reviewed, a verdict keeps what people say. Call it in the transaction that stores the feedback, and
 * that holds the conversations' locks.
 */
export async function joinLateFeedback(
  manager: EntityManager,
  feedback: readonly TurnFeedback[],
): Promise<LateFeedback> {
  const before = await verdictsOf(manager, feedback);
  const after = await joinEvidence(manager, before.map(asClassified));
  const changed = after.filter(({ verdict }, at) => isOther(verdict, before[at]!.verdict));
  if (changed.length === 0) return { reweighed: [], anchors: 0, seedPairs: 0 };
  await updateEvidence(manager, changed);
  return { reweighed: changed.map(({ verdict }) => verdict), ...(await followEvidence(manager, changed)) };
}

interface Row
  extends Omit<JudgedTurn, 'verdict'>,
    Pick<Verdict, 'label' | 'rubric' | 'abstained' | 'classified' | 'evidence'>,
    Record<Label, number> {
  version: string;
}

/** The final verdicts of the turns after the replies, but those that were reviewed. */
async function verdictsOf(manager: EntityManager, feedback: readonly TurnFeedback[]): Promise<JudgedTurn[]> {
  if (feedback.length === 0) return [];
  const rows = await manager.query<Row[]>(
    `SELECT DISTINCT ON (v.conversation_id, v.turn) v.conversation_id AS "conversationId", v.turn, prompt.turn AS "promptTurn",
       v.label, v.rubric, v.abstained, v.classified, v.evidence, v.classifier_version AS version,
       v.p_dsat AS dsat, v.p_sat AS sat, v.p_neutral AS neutral
     FROM unnest($1::text[], $2::integer[]) AS g (conversation_id, turn)
     JOIN verdicts v ON v.conversation_id = g.conversation_id AND v.turn = g.turn + 1 AND v.status = 'final' AND NOT v.reviewed
     LEFT JOIN LATERAL (
       SELECT max(turn) AS turn FROM turns
       WHERE conversation_id = v.conversation_id AND turn < v.turn - 1 AND role = 'user'
     ) AS prompt ON true`,
    [feedback.map(({ conversationId }) => conversationId), feedback.map(({ turn }) => turn)],
  );
  return rows.map(
    ({ conversationId, turn, promptTurn, dsat, sat, neutral, version, classified, evidence, ...said }) => ({
      conversationId,
      turn,
      promptTurn,
      verdict: {
        ...said,
        probabilities: { dsat, sat, neutral },
        classifierVersion: version,
        status: 'final',
        ...(classified && { classified }),
        ...(evidence && { evidence }),
      },
    }),
  );
}

/** As it was before any evidence: what remains of feedback that counts no more. */
function asClassified({ verdict: { evidence: _, classified, ...verdict }, ...turn }: JudgedTurn): JudgedTurn {
  return { ...turn, verdict: { ...verdict, ...classified } };
}

function isOther(a: Verdict, b: Verdict): boolean {
  const facts = ({ label, rubric, abstained, evidence }: Verdict) => [
    ...[label, rubric, abstained, evidence?.logOdds],
    ...Object.entries(evidence?.feedback ?? {})
      .flat()
      .sort(),
  ];
  return JSON.stringify(facts(a)) !== JSON.stringify(facts(b));
}

async function updateEvidence(manager: EntityManager, changed: JudgedTurn[]): Promise<void> {
  const verdicts = changed.map(({ verdict }) => verdict);
  await manager.query(
    `UPDATE verdicts v SET label = g.label, rubric = g.rubric, abstained = g.abstained, evidence = g.evidence,
       classified = g.classified
     FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::boolean[], $6::jsonb[], $7::jsonb[])
       AS g (conversation_id, turn, label, rubric, abstained, evidence, classified)
     WHERE v.conversation_id = g.conversation_id AND v.turn = g.turn`,
    [
      changed.map(({ conversationId }) => conversationId),
      changed.map(({ turn }) => turn),
      verdicts.map(({ label }) => label),
      verdicts.map(({ rubric }) => rubric),
      verdicts.map(({ abstained }) => abstained),
      verdicts.map(({ evidence }) => (evidence ? JSON.stringify(evidence) : null)),
      verdicts.map(({ classified }) => (classified ? JSON.stringify(classified) : null)),
    ],
  );
}
