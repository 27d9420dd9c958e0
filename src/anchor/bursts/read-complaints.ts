import type { DataSource } from 'typeorm';
import { BURST_WINDOW_MS, type Complaint, type Fingerprint } from './find-bursts.js';
import { signatureOf, wordsOf } from './min-hash.js';

/** Words of a text that are read; feedback comes first. */
const MOST_WORDS = 512;
const PAGE = 500;

export function fingerprintOf(text: string): Fingerprint {
  const words = wordsOf(text).slice(0, MOST_WORDS);
  return { words: words.length, signature: signatureOf(words) };
}

/** The oldest active anchor that no run has looked at yet; Unix time in ms of what its user said, null without one. */
export async function oldestNewComplaint(dataSource: DataSource): Promise<number | null> {
  const [{ oldest }] = await dataSource.query<[{ oldest: number | null }]>(
    `SELECT min(extract(epoch FROM feedback.occurred_at) * 1000)::float8 AS oldest
     FROM anchors a JOIN turns feedback ON feedback.conversation_id = a.conversation_id AND feedback.turn = a.turn
     WHERE a.state = 'active' AND a.origin = 'observed' AND a.state_reason IS NULL
       AND NOT EXISTS (SELECT FROM run_anchors known WHERE known.anchor_id = a.id)`,
  );
  return oldest;
}

interface Row {
  id: string;
  conversationId: string;
  occurredAt: number;
  feedback: string;
  rejected: string;
}

/**
 * What users said in the window before `since`, or later, page by page: the texts are not kept. Those that were
 * quarantined or retired count too, or the rest of a flood would pass; those that a person released do not.
 */
export async function readComplaints(dataSource: DataSource, since: number): Promise<Complaint[]> {
  const complaints: Complaint[] = [];
  for (let after: string | undefined; ; after = complaints.at(-1)?.id) {
    const rows = await readPage(dataSource, since - BURST_WINDOW_MS, after);
    complaints.push(...rows.map(complaintOf));
    if (rows.length < PAGE) return complaints;
  }
}

function readPage(dataSource: DataSource, from: number, after: string | undefined): Promise<Row[]> {
  return dataSource.query<Row[]>(
    `SELECT a.id, a.conversation_id AS "conversationId", feedback.content AS feedback, rejected.content AS rejected,
       (extract(epoch FROM feedback.occurred_at) * 1000)::float8 AS "occurredAt"
     FROM anchors a
     JOIN turns feedback ON feedback.conversation_id = a.conversation_id AND feedback.turn = a.turn
     JOIN turns rejected ON rejected.conversation_id = a.conversation_id AND rejected.turn = a.turn - 1
     WHERE a.origin = 'observed' AND a.state <> 'erased' AND NOT (a.state = 'active' AND a.state_reason IS NOT NULL)
       AND extract(epoch FROM feedback.occurred_at) * 1000 > $1 AND ($2::uuid IS NULL OR a.id > $2)
     ORDER BY a.id LIMIT ${PAGE}`,
    [from, after ?? null],
  );
}

function complaintOf({ id, conversationId, occurredAt, feedback, rejected }: Row): Complaint {
  const exchange = fingerprintOf(`${feedback} ${rejected}`);
  return { id, conversationId, occurredAt, feedback: fingerprintOf(feedback), exchange };
}
