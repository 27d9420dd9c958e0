import type { KafkaMessage } from 'kafkajs';
import type { DataSource, EntityManager } from 'typeorm';
import { recordFinal } from '../anchor/record-final.js';
import { lockConversations } from '../database/conversation-lock.js';
import type { Classifier, Verdict } from '../dsat/verdict.js';
import { insertVerdicts } from '../dsat/verdict-rows.js';
import { advanceOffset, lockOffset, type Partition } from './consumer-offsets.js';
import { type DeadLetter, insertDeadLetters, makeDeadLetter } from './dead-letter.js';
import type { DecodedRecord } from './decode-record.js';
import { judgeCompleted } from './judge-completed.js';
import { type ConflictingTurn, type PlacedTurn, sortTurns } from './sort-turns.js';
import { turnKey } from './turn.js';
import { insertFeedback, insertTurns, loadHeads, spansOf } from './turn-rows.js';

export interface SourceRecord {
  message: KafkaMessage;
  decoded: DecodedRecord;
}

/** Records of one partition that follow each other. */
export interface RecordBatch {
  source: Partition;
  /** Where the reader stood: everything before is taken for stored. */
  position: bigint;
  records: SourceRecord[];
  /** The offset after the last record. */
  nextOffset: bigint;
}

export interface StoreTools {
  dataSource: DataSource;
  firstStage: Classifier;
  deadLetters: { send(source: Partition, letters: DeadLetter[]): Promise<void> };
}

/** What a batch changed; redelivered records are in none of the counts. */
export interface StoredCounts {
  records: number;
  turns: number;
  duplicates: number;
  feedback: number;
  sanitised: number;
  deadLetters: DeadLetter['reason'][];
  verdicts: Verdict[];
  anchors: number;
  seedPairs: number;
}

export type StoreOutcome =
  | { outcome: 'stored'; counts: StoredCounts }
  /** PostgreSQL knows less than the reader took for stored: it has to read again from `offset`. */
  | { outcome: 'behind'; offset: bigint };

/**
 * Stores a batch in one transaction: turns, feedback, first-stage verdicts, what follows from those that are final, dead
 * letters and the next offset. Records that are stored already have no effect. Dead letters are on their topic before
 * the transaction ends.
 */
export function storeRecords(tools: StoreTools, batch: RecordBatch): Promise<StoreOutcome> {
  return tools.dataSource.transaction('READ COMMITTED', async (manager) => {
    const stored = (await lockOffset(manager, batch.source)) ?? 0n;
    if (stored < batch.position) return { outcome: 'behind', offset: stored };
    const records = batch.records.filter(({ message }) => BigInt(message.offset) >= stored);
    const counts = await storeNew(manager, tools, batch.source, records);
    if (batch.nextOffset > stored) await advanceOffset(manager, batch.source, batch.nextOffset);
    return { outcome: 'stored', counts };
  });
}

async function storeNew(
  manager: EntityManager,
  { firstStage, deadLetters }: StoreTools,
  source: Partition,
  records: SourceRecord[],
): Promise<StoredCounts> {
  const { turns, feedback, rejected, sanitised } = contentsOf(records);
  const spans = spansOf(turns.map(({ turn }) => turn));
  await lockConversations(
    manager,
    spans.map(({ conversationId }) => conversationId),
  );
  const heads = await loadHeads(manager, spans);
  const stored = new Map(heads.map((head) => [turnKey(head.conversationId, head.turn), head.sha256]));
  const { fresh, duplicates, conflicts } = sortTurns(turns, stored);
  await insertTurns(manager, fresh);
  if (feedback.length > 0) await insertFeedback(manager, feedback);
  const judged = await judgeCompleted(manager, firstStage, heads, fresh);
  if (judged.length > 0) await insertVerdicts(manager, judged);
  const cases = await recordFinal(manager, judged);
  const letters = [...rejected, ...conflicts.map((conflict) => conflictLetter(records, conflict))];
  if (letters.length > 0) {
    await insertDeadLetters(manager, source, letters);
    await deadLetters.send(source, letters);
  }
  return {
    records: records.length,
    turns: fresh.length,
    duplicates,
    feedback: feedback.length,
    sanitised,
    deadLetters: letters.map(({ reason }) => reason),
    verdicts: judged.map(({ verdict }) => verdict),
    ...cases,
  };
}

function contentsOf(records: SourceRecord[]) {
  const turns: PlacedTurn[] = [];
  const rejected: DeadLetter[] = [];
  for (const [record, { message, decoded }] of records.entries()) {
    if (decoded.outcome === 'rejected') rejected.push(makeDeadLetter(message, decoded.reason, decoded.detail));
    else turns.push(...decoded.turns.map((turn, item) => ({ turn, record, item })));
  }
  const decoded = records.flatMap(({ decoded }) => (decoded.outcome === 'decoded' ? decoded : []));
  const feedback = decoded.flatMap((record) => record.feedback);
  return { turns, feedback, rejected, sanitised: decoded.filter((record) => record.sanitised).length };
}

function conflictLetter(records: SourceRecord[], { record, item, turn, storedSha256 }: ConflictingTurn): DeadLetter {
  const detail = `turn ${turn.turn} is stored with sha256 ${storedSha256}, this one has ${turn.sha256}`;
  return makeDeadLetter(records[record]!.message, 'conflict', detail, item);
}
