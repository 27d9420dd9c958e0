import { type OpenedRecord, openRecord } from './cloud-event.js';
import { CONVERSATION_HEADER } from './dead-letter.js';
import { LAST_TIME_MS, type RecordContents, type RecordOrigin } from './formats/format.js';
import { selectFormat } from './formats/registry.js';
import type { ReadableMessage } from './packed-messages.js';
import { header } from './record-value.js';
import { RecordRejection } from './rejection.js';
import { wellFormed } from './well-formed.js';

/** Of one record. */
export const MAX_RECORD_TURNS = 10_000;

export type DecodedRecord =
  | ({ outcome: 'decoded'; sanitised: boolean } & RecordContents)
  | { outcome: 'rejected'; reason: RecordRejection['reason']; detail: string };

/** Turns and feedback of one Kafka record, or why it has none. A record is taken whole or not at all. */
export function decodeRecord(message: ReadableMessage, topic: string, partition: number): DecodedRecord {
  try {
    const opened = openRecord(message);
    const contents = selectFormat(opened, opened.value).read(opened.value, originOf(message, opened, topic, partition));
    if (contents.turns.length > MAX_RECORD_TURNS) {
      throw new RecordRejection('too-large', `the record has over ${MAX_RECORD_TURNS} turns`);
    }
    return { outcome: 'decoded', sanitised: opened.changed, ...contents };
  } catch (error) {
    const { reason, detail } = rejectionOf(error);
    return { outcome: 'rejected', reason, detail };
  }
}

/** Each is made where it is asked for: most records say themselves whose they are, and when. */
function originOf(message: ReadableMessage, opened: OpenedRecord, topic: string, partition: number): RecordOrigin {
  return {
    topic,
    partition,
    offset: message.offset,
    get subject() {
      return opened.subject ?? header(message, CONVERSATION_HEADER);
    },
    get key() {
      return message.key === null ? null : wellFormed(message.key.toString('utf8'));
    },
    get timestamp() {
      return opened.time ?? timeOf(message);
    },
  };
}

function timeOf({ timestamp }: ReadableMessage): string {
  return new Date(Math.min(Math.max(Number(timestamp) || 0, 0), LAST_TIME_MS)).toISOString();
}

function rejectionOf(error: unknown): RecordRejection {
  if (error instanceof RecordRejection) return error;
  if (error instanceof SyntaxError) return new RecordRejection('undecodable', 'the value is not JSON');
  throw error;
}
