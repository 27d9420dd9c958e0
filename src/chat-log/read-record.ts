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

/** What may be stored of a Kafka record. */
export function readRecord(
  message: ReadableMessage,
  { topic, partition }: Pick<Partition, 'topic' | 'partition'>,
  privacy: Privacy,
): ProtectedRecord {
  const decoded = decodeRecord(message, topic, partition);
  return decoded.outcome === 'rejected' ? decoded : protectContents(decoded, privacy);
}
