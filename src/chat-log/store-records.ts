import type { KafkaMessage } from 'kafkajs';
import type { DataSource, EntityManager } from 'typeorm';
import { recordFinal } from '../anchor/record-final.js';
import { joinEvidence } from '../dsat/evidence/join-evidence.js';
import { joinLateFeedback } from '../dsat/evidence/late-feedback.js';
import type { Classifier, Verdict } from '../dsat/verdict.js';
import { insertVerdicts } from '../dsat/verdict-rows.js';
import { groupBy } from '../group-by.js';
import type { Privacy } from '../privacy/privacy.js';
import { isHashedConversation } from '../privacy/pseudonyms.js';
import type { RedactionCounts } from '../privacy/redaction-settings.js';
import { lockPosition, type Partition, type Position, samePosition, storePosition } from './consumer-offsets.js';
import { CONVERSATION_HEADER, type DeadLetter, insertDeadLetters, makeDeadLetter } from './dead-letter.js';
import { judgeCompleted } from './judge-completed.js';
import { type ErasureHold, ErasureHoldNeeded, keepErasedLettersOut, keepErasedOut } from './keep-erased-out.js';
import { type ProtectedLetter, protectLetter } from './protect-letter.js';
import { positionAfter } from './read-on.js';
import type { ProtectedRecord } from './read-record.js';
import { type ConflictingTurn, type PlacedTurn, sortTurns } from './sort-turns.js';
import { turnKey } from './turn.js';
import { insertFeedback, insertTurns, loadHeads, spansOf } from './turn-rows.js';

export interface SourceRecord {
  message: KafkaMessage;
  decoded: ProtectedRecord;
}

/** Records of one partition that follow each other. */
export interface RecordBatch {
  source: Partition;
  /** What the records follow. */
  position: Position;
  records: SourceRecord[];
  /** The offset after the last record. */
  nextOffset: bigint;
}

export interface StoreTools {
  dataSource: DataSource;
  firstStage: Classifier;
  privacy: Privacy;
  /** Whether feedback on a reply is joined to the verdict of the turn after it. */
  feedbackEvidence: boolean;
  deadLetters: { send(source: Partition, letters: DeadLetter[]): Promise<void> };
}

/** What a batch changed; redelivered records are in none of the counts. */
export interface StoredCounts {
  records: number;
  turns: number;
  duplicates: number;
  feedback: number;
  sanitised: number;
  erasures: number;
  /** Conversations of users erased before, of which only now a turn came that shows them to be theirs. */
  erasedLate: number;
  /** Turns that were left out, as their conversation is erased. */
  erasedTurns: number;
  /** Letters that were left out, as whom or what they name is erased. */
  erasedLetters: number;
  redactions: RedactionCounts[];
  deadLetters: DeadLetter['reason'][];
  verdicts: Verdict[];
  /** Verdicts of before that feedback changed. */
  reweighed: Verdict[];
  anchors: number;
  seedPairs: number;
}

export type StoreOutcome =
  | { outcome: 'stored'; position: Position; counts: StoredCounts }
  /** PostgreSQL has another position than the records follow: somebody else stored some, or it was set back. */
  | { outcome: 'moved' };

/**
 * Stores a batch in one transaction: turns, feedback, first-stage verdicts, what follows from those that are final, dead
 * letters and the next position. It holds the partition's position from its beginning, so of two readers of one record
 * only one stores it. Dead letters are on their topic before the transaction ends.
 */
export async function storeRecords(tools: StoreTools, batch: RecordBatch): Promise<StoreOutcome> {
  try {
    return await storeOnce(tools, batch);
  } catch (error) {
    if (!(error instanceof ErasureHoldNeeded)) throw error;
    return storeOnce(tools, batch, 'alone');
  }
}

function storeOnce(tools: StoreTools, batch: RecordBatch, hold?: ErasureHold): Promise<StoreOutcome> {
  return tools.dataSource.transaction('READ COMMITTED', async (manager) => {
    const stored = await lockPosition(manager, batch.source);
    if (!stored || !samePosition(stored, batch.position)) return { outcome: 'moved' };
    const counts = await storeNew(manager, tools, batch, hold);
    const messages = batch.records.map(({ message }) => message);
    const position = positionAfter(batch.position, messages, batch.nextOffset, tools.privacy.pseudonyms);
    await storePosition(manager, batch.source, position);
    return { outcome: 'stored', position, counts };
  });
}

async function storeNew(
  manager: EntityManager,
  { firstStage, privacy, deadLetters, feedbackEvidence }: StoreTools,
  { source, records }: RecordBatch,
  hold?: ErasureHold,
): Promise<StoredCounts> {
  const { erasures, rejected, sanitised, redactions, ...incoming } = contentsOf(records);
  const { turns, feedback, erasedLate } = await keepErasedOut(manager, privacy.pseudonyms, incoming, erasures, hold);
  const spans = spansOf(turns.map(({ turn }) => turn));
  const heads = await loadHeads(manager, spans);
  const stored = new Map(heads.map((head) => [turnKey(head.conversationId, head.turn), head.sha256]));
  const { fresh, duplicates, conflicts } = sortTurns(turns, stored);
  await insertTurns(manager, fresh);
  if (feedback.length > 0) await insertFeedback(manager, feedback);
  const late = await joinLateFeedback(manager, feedbackEvidence ? feedback : []);
  const completed = await judgeCompleted(manager, firstStage, heads, fresh);
  const judged = feedbackEvidence ? await joinEvidence(manager, completed) : completed;
  if (judged.length > 0) await insertVerdicts(manager, judged);
  const cases = await recordFinal(manager, judged);
  const put = [
    ...rejected.map((letter) => protectLetter(letter, privacy)),
    ...conflictLetters(records, conflicts, privacy),
  ];
  const letters = await keepErasedLettersOut(manager, put);
  if (letters.length > 0) {
    await insertDeadLetters(manager, source, letters);
    await deadLetters.send(source, letters);
  }
  return {
    records: records.length,
    turns: fresh.length,
    duplicates,
    feedback: feedback.length,
    erasures: erasures.length,
    erasedLate,
    erasedTurns: incoming.turns.length - turns.length,
    erasedLetters: put.length - letters.length,
    sanitised,
    redactions: [...redactions, ...letters.map((letter) => letter.redactions ?? {})],
    deadLetters: letters.map(({ reason }) => reason),
    verdicts: judged.map(({ verdict }) => verdict),
    reweighed: late.reweighed,
    anchors: cases.anchors + late.anchors,
    seedPairs: cases.seedPairs + late.seedPairs,
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
  const redactions = decoded.map((record) => record.redactions);
  const erasures = decoded.flatMap((record) => record.erasures ?? []);
  return {
    turns,
    feedback,
    erasures,
    rejected,
    redactions,
    sanitised: decoded.filter((record) => record.sanitised).length,
  };
}

/** A letter for each turn; a record of many is protected once. */
function conflictLetters(records: SourceRecord[], conflicts: ConflictingTurn[], privacy: Privacy): ProtectedLetter[] {
  return [...groupBy(conflicts, ({ record }) => record).values()].flatMap((ofRecord) => {
    const [first, ...others] = ofRecord.map((conflict) => conflictLetter(records, conflict));
    const letter = protectLetter(first!, privacy);
    return [letter, ...others.map(({ item, detail }) => ({ ...letter, item, detail, redactions: {} }))];
  });
}

function conflictLetter(records: SourceRecord[], { record, item, turn, storedSha256 }: ConflictingTurn): DeadLetter {
  const detail = `turn ${turn.turn} is stored with sha256 ${storedSha256}, this one has ${turn.sha256}`;
  return makeDeadLetter(namingConversation(records[record]!), 'conflict', detail, item);
}

/**
 * The record with the id that its conversation was given, where it names none and has but one: of its own offset and its
 * own user's name, which a letter does not keep, another one would follow when it is read again.
 */
function namingConversation({ message, decoded }: SourceRecord): KafkaMessage {
  const ids = new Set(decoded.outcome === 'decoded' ? decoded.turns.map((turn) => turn.conversationId) : []);
  const [id] = ids;
  if (ids.size !== 1 || !isHashedConversation(id!)) return message;
  return { ...message, headers: { ...message.headers, [CONVERSATION_HEADER]: id } } as KafkaMessage;
}
