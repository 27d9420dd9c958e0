import { isUtf8 } from 'node:buffer';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { RecordContents, RecordOrigin } from './formats/format.js';
import { selectFormat } from './formats/registry.js';
import { RecordRejection } from './rejection.js';
import { parseWellFormed, wellFormed } from './well-formed.js';

/** Of a record's value. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024;

/** Of one record. */
export const MAX_RECORD_TURNS = 10_000;

/** End of the year 9999: later times have no RFC 3339 form. */
const LAST_TIME_MS = 253_402_300_799_999;

export type DecodedRecord =
  | ({ outcome: 'decoded'; sanitised: boolean } & RecordContents)
  | { outcome: 'rejected'; reason: RecordRejection['reason']; detail: string };

/** Turns and feedback of one Kafka record, or why it has none. A record is taken whole or not at all. */
export function decodeRecord(message: KafkaMessage, topic: string, partition: number): DecodedRecord {
  try {
    const { value, changed } = parseValue(message.value);
    const headers = { contentType: header(message, 'content-type'), eventType: header(message, 'ce_type') };
    const format = selectFormat(headers, value);
    const contents = format.read(value, originOf(message, topic, partition));
    if (contents.turns.length > MAX_RECORD_TURNS) {
      throw new RecordRejection('too-large', `the record has over ${MAX_RECORD_TURNS} turns`);
    }
    return { outcome: 'decoded', sanitised: changed, ...contents };
  } catch (error) {
    const { reason, detail } = rejectionOf(error);
    return { outcome: 'rejected', reason, detail };
  }
}

function parseValue(value: Buffer | null): { value: unknown; changed: boolean } {
  if (!value) throw new RecordRejection('undecodable', 'the record has no value');
  if (value.length > MAX_RECORD_BYTES) {
    throw new RecordRejection('too-large', `the record is over ${MAX_RECORD_BYTES} bytes`);
  }
  if (!isUtf8(value)) throw new RecordRejection('undecodable', 'the value is not UTF-8');
  return parseWellFormed(value.toString('utf8'));
}

function originOf(message: KafkaMessage, topic: string, partition: number): RecordOrigin {
  const time = Math.min(Math.max(Number(message.timestamp) || 0, 0), LAST_TIME_MS);
  return {
    topic,
    partition,
    offset: message.offset,
    key: message.key === null ? null : wellFormed(message.key.toString('utf8')),
    timestamp: new Date(time).toISOString(),
  };
}

function rejectionOf(error: unknown): RecordRejection {
  if (error instanceof RecordRejection) return error;
  if (error instanceof SyntaxError) return new RecordRejection('undecodable', 'the value is not JSON');
  // The stack overflows where a value is nested some thousand levels deep.
  if (error instanceof RangeError) return new RecordRejection('invalid', 'value: it is nested too deeply');
  throw error;
}

/** The first value of a header, whatever the case of its name. */
function header({ headers }: KafkaMessage, name: string): string | undefined {
  const key = Object.keys(headers ?? {}).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : firstText(headers![key]);
}

function firstText(value: IHeaders[string]): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? undefined : first.toString();
}
