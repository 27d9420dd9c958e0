import { Injectable, Logger } from '@nestjs/common';
import type { KafkaMessage } from 'kafkajs';
import { QueryFailedError } from 'typeorm';
import { untilDone } from '../backoff.js';
import type { BacklogLimit } from '../dsat/backlog-limit.js';
import type { ExportCleaner } from '../erasure/export-cleaner.js';
import { countStored } from '../metrics/ingest-metrics.js';
import { unlessAborted } from '../unless-aborted.js';
import type { Partition, Position } from './consumer-offsets.js';
import type { RecordReader } from './record-reader.js';
import {
  type RecordBatch,
  type SourceRecord,
  type StoreOutcome,
  type StoreTools,
  storeRecords,
} from './store-records.js';

/** Of one transaction: what it costs besides its rows is shared by many. */
const RECORDS_PER_TRANSACTION = 1_000;
/** From so many conversations on it takes no further record: it holds a lock of each. */
const CONVERSATIONS_PER_TRANSACTION = 500;

/** From this wait on (some twenty seconds after the first failure) it seems not to heal by itself. */
const ALARM_MS = 10_000;

/** What the consumer fetched of one partition. */
export interface FetchedBatch {
  source: Partition;
  /** What the records follow. */
  position: Position;
  messages: KafkaMessage[];
  /** The offset after the last record, control records included. */
  nextOffset: bigint;
  /** Ends when the records before these are stored, or are not going to be. */
  before?: Promise<void>;
  /** Ends the work while the records are read, and then before the next transaction. */
  signal: AbortSignal;
}

export type IngestOutcome =
  /** All before `position` is stored. Less than the batch where the signal ended the work early. */
  | { outcome: 'stored'; position: Position }
  /** The consumer has to ask for its positions again. */
  | { outcome: 'moved' };

export interface IngestTools extends StoreTools {
  reader: Pick<RecordReader, 'read'>;
  backlog: Pick<BacklogLimit, 'room'>;
  exports: Pick<ExportCleaner, 'clean' | 'resume'>;
}

/**
 * Stores fetched batches. An outage of PostgreSQL or of the broker is waited for; a record that PostgreSQL refuses is
 * found and put aside, so that nothing is dropped and nothing blocks.
 */
@Injectable()
export class IngestService {
  private readonly logger = new Logger(IngestService.name);

  constructor(private readonly tools: IngestTools) {}

  async ingest(batch: FetchedBatch): Promise<IngestOutcome> {
    const { signal } = batch;
    let { position } = batch;
    const records = await this.read(batch);
    await batch.before;
    if (!records) return { outcome: 'stored', position };
    // Once where there are control records alone: they move the position too.
    for (let at = 0; at === 0 || at < batch.messages.length; ) {
      try {
        const slice = this.slice(batch, records, at, position);
        const stored = await this.store(slice, signal);
        at += Math.max(1, slice.records.length);
        if (stored.outcome === 'moved') return stored;
        position = stored.position;
      } catch (error) {
        if (signal.aborted) return { outcome: 'stored', position };
        throw error;
      }
    }
    return { outcome: 'stored', position };
  }

  /** Undefined where the signal ends the work: the thread may be at one text for long. */
  private async read({ messages, source, signal }: FetchedBatch): Promise<SourceRecord[] | undefined> {
    try {
      const read = await unlessAborted(this.tools.reader.read(messages, source), signal);
      return messages.map((message, index) => ({ message, decoded: read[index]! }));
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  private slice(
    { source, nextOffset }: FetchedBatch,
    read: SourceRecord[],
    at: number,
    position: Position,
  ): RecordBatch {
    const records: SourceRecord[] = [];
    const conversations = new Set<string>();
    for (const record of read.slice(at, at + RECORDS_PER_TRANSACTION)) {
      records.push(record);
      for (const id of conversationsOf(record)) conversations.add(id);
      if (conversations.size >= CONVERSATIONS_PER_TRANSACTION) break;
    }
    const following = read[at + records.length]?.message;
    return { source, position, records, nextOffset: following ? BigInt(following.offset) : nextOffset };
  }

  private async store(batch: RecordBatch, signal: AbortSignal): Promise<StoreOutcome> {
    const onFailure = (error: unknown, waitMs: number) => this.sayFailure(batch, error, waitMs);
    try {
      return await untilDone(
        () => this.storeOnce(batch, signal),
        { firstMs: 200, maxMs: 30_000, signal, onFailure },
        (error) => !isRefusedData(error),
      );
    } catch (error) {
      if (!isRefusedData(error)) throw error;
      return this.storeApart(batch, error, signal);
    }
  }

  private sayFailure(batch: RecordBatch, error: unknown, waitMs: number): void {
    const text = `The batch at ${where(batch)} cannot be stored, trying again in ${waitMs} ms: ${messageOf(error)}`;
    if (waitMs < ALARM_MS) this.logger.warn(text);
    else this.logger.error(text);
  }

  private async storeOnce(batch: RecordBatch, signal: AbortSignal): Promise<StoreOutcome> {
    await this.tools.backlog.room(signal);
    const startedAt = performance.now();
    const outcome = await storeRecords(this.tools, batch);
    if (outcome.outcome === 'moved') {
      // It may have been stored, and the answer lost.
      this.tools.exports.resume();
      return outcome;
    }
    countStored(outcome.counts, (performance.now() - startedAt) / 1_000);
    if (outcome.counts.erasures + outcome.counts.erasedLate > 0) this.tools.exports.clean();
    return outcome;
  }

  /** Halves the batch until the record that PostgreSQL refuses is alone, and makes that a dead letter. */
  private async storeApart(batch: RecordBatch, error: unknown, signal: AbortSignal): Promise<StoreOutcome> {
    const { records } = batch;
    if (records.length === 1) {
      this.logger.warn(`PostgreSQL refuses the record at ${where(batch)}: ${messageOf(error)}`);
      return this.store({ ...batch, records: [refused(records[0]!, error)] }, signal);
    }
    const middle = records.length >> 1;
    const border = BigInt(records[middle]!.message.offset);
    const first = await this.store({ ...batch, records: records.slice(0, middle), nextOffset: border }, signal);
    if (first.outcome === 'moved') return first;
    return this.store({ ...batch, records: records.slice(middle), position: first.position }, signal);
  }
}

function conversationsOf({ decoded }: SourceRecord): string[] {
  if (decoded.outcome === 'rejected') return [];
  return [...decoded.turns, ...decoded.feedback].map(({ conversationId }) => conversationId);
}

/**
 * SQLSTATE classes that speak of the data itself: data exception, integrity constraint (a missing referenced row is
 * rather a fault of the installation), program limit.
 */
function isRefusedData(error: unknown): boolean {
  return error instanceof QueryFailedError && /^(22|23(?!503)|54)/.test(sqlState(error));
}

function sqlState(error: QueryFailedError): string {
  return String((error.driverError as { code?: unknown }).code ?? '');
}

function refused({ message, decoded }: SourceRecord, error: unknown): SourceRecord {
  if (decoded.outcome === 'rejected') throw error;
  const detail = `PostgreSQL refused it with SQLSTATE ${sqlState(error as QueryFailedError)}`;
  return { message, decoded: { outcome: 'rejected', reason: 'unstorable', detail } };
}

function where({ source, records }: RecordBatch): string {
  return `${source.topic}/${source.partition}, offset ${records[0]?.message.offset}`;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
