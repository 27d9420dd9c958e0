import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { AnchorState, Message } from '../../src/anchor/anchor.js';
import { derivedId } from '../../src/anchor/derived-id.js';

const CLASSIFIER = 'test-classifier';

/** Stores turns of a conversation; a hole in `turns` is a turn that never came. */
export async function insertTurns(
  dataSource: DataSource,
  conversationId: string,
  turns: (Message | undefined)[],
): Promise<void> {
  for (const [turn, message] of turns.entries()) {
    if (!message) continue;
    const sha256 = createHash('sha256').update(message.content).digest('hex');
    await dataSource.query(
      `INSERT INTO turns (conversation_id, turn, role, content, occurred_at, sha256) VALUES ($1, $2, $3, $4, now(), $5)`,
      [conversationId, turn, message.role, message.content, sha256],
    );
  }
}

export interface AnchorValues {
  state?: AnchorState;
  rubric?: string;
  createdAt?: Date;
  policyVersion?: string;
}

/** Stores an anchor at a turn that is there; resolves to its id. */
export async function insertAnchor(
  dataSource: DataSource,
  conversationId: string,
  turn: number,
  { state = 'active', rubric = 'revision', createdAt = new Date(), policyVersion }: AnchorValues = {},
): Promise<string> {
  await dataSource.query(`INSERT INTO classifier_versions (version, card) VALUES ($1, '{}') ON CONFLICT DO NOTHING`, [
    CLASSIFIER,
  ]);
  const id = derivedId('anchor', conversationId, turn);
  await dataSource.query(
    `INSERT INTO anchors (id, conversation_id, turn, state, rubric, confidence, classifier_version, policy_version, created_at)
     VALUES ($1, $2, $3, $4, $5, 0.9, $6, $7, $8)`,
    [id, conversationId, turn, state, rubric, CLASSIFIER, policyVersion ?? null, createdAt],
  );
  return id;
}

/** A conversation of four turns whose last one is an anchor; resolves to the anchor's id. */
export async function insertAnchorConversation(
  dataSource: DataSource,
  conversationId: string,
  values: AnchorValues & { feedback?: string } = {},
): Promise<string> {
  await insertTurns(dataSource, conversationId, [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: `What is ${conversationId}?` },
    { role: 'assistant', content: 'It is a long story.' },
    { role: 'user', content: values.feedback ?? 'That is not an answer.' },
  ]);
  return insertAnchor(dataSource, conversationId, 3, values);
}
