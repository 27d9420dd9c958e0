import type { Privacy } from '../privacy/privacy.js';
import type { RedactionCounts } from '../privacy/redaction-settings.js';
import type { Partition } from './consumer-offsets.js';
import { type DecodedRecord, decodeRecord } from './decode-record.js';
import type { ReadableMessage } from './packed-messages.js';
import { protectContents } from './protect.js';

/** A record whose contents may be stored as they are. */
export type ProtectedRecord =
  | (Extract<DecodedRecord, { outcome: 'decoded' }> & { redactions: RedactionCounts })
  | Extract<DecodedRecord, { outcome: 'rejected' }>;

/**
 * What may be stored of a Kafka record. An error that nobody foresaw makes a dead letter of it, to be replayed when that
 * is mended: thrown, it would hold up the partition of every consumer that meets the record.
 */
export function readRecord(
  message: ReadableMessage,
  { topic, partition }: Pick<Partition, 'topic' | 'partition'>,
  privacy: Privacy,
): ProtectedRecord {
  try {
    const decoded = decodeRecord(message, topic, partition);
    return decoded.outcome === 'rejected' ? decoded : protectContents(decoded, privacy);
  } catch (error) {
    return { outcome: 'rejected', reason: 'invalid', detail: `an error of the service: ${(error as Error).name}` };
  }
}
