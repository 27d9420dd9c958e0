import type { Pseudonyms } from '../privacy/pseudonyms.js';
import type { AssignedPosition, Doubt, OffsetRange, Position, Restart, RestartReason } from './consumer-offsets.js';
import { type Fetched, type Reading, readOn } from './read-on.js';

/** Where each partition that may be read stands, and what its fetches have shown of the topic. */
export class PartitionPositions {
  private readonly positions = new Map<number, Position>();
  /** What a fetch brought that did not begin with the last record read. */
  private readonly held = new Map<number, Fetched>();
  /** Stored positions that the topic contradicts. */
  readonly doubts = new Map<number, Doubt>();

  constructor(
    private readonly ranges: () => Promise<OffsetRange[]>,
    private readonly pseudonyms: Pseudonyms,
  ) {}

  /** Undefined while the partition may not be read. */
  get(partition: number): Position | undefined {
    return this.positions.get(partition);
  }

  set(partition: number, position: Position): void {
    this.positions.set(partition, position);
  }

  get size(): number {
    return this.positions.size;
  }

  /** No partition may be read from here on. */
  clear(): void {
    this.positions.clear();
    this.held.clear();
  }

  /** Holds what is unproved until a fetch from the last record read has proved it, and remembers what is foreign. */
  async read(partition: number, position: Position, fetched: Fetched): Promise<Reading> {
    const reading = readOn(position, fetched, this.pseudonyms);
    if (reading.outcome === 'unproved') {
      // The fetch after one that is held asks for the last record read: where it brings others that record is gone.
      if (this.held.has(partition)) return { outcome: 'astray' };
      this.held.set(partition, fetched);
    }
    if (reading.outcome === 'foreign') this.doubts.set(partition, { reason: reading.reason, position });
    if (reading.outcome !== 'follows') return reading;
    if (!position.last && position.nextOffset > 0n) return this.readUnprovable(partition, position, reading);
    const held = this.held.get(partition);
    this.held.delete(partition);
    return reading.messages.length === 0 && held ? { outcome: 'follows', ...held } : reading;
  }

  /** No record proves the topic: a new one has earlier records too. */
  private async readUnprovable(partition: number, { nextOffset }: Position, reading: Reading): Promise<Reading> {
    const range = (await this.ranges()).find((range) => range.partition === partition);
    return range?.low === nextOffset ? reading : { outcome: 'astray' };
  }
}

/** What a person should know of a partition that is begun again. */
export function restartText(topic: string, { partition, nextOffset }: AssignedPosition, restart: Restart): string {
  return (
    `${topic}/${partition}: ${RESTART_TEXTS[restart.reason]} (stored up to offset ${restart.storedOffset}). ` +
    `It is read from its first record, ${nextOffset}; what is stored already is not stored twice.`
  );
}

const RESTART_TEXTS: Record<RestartReason, string> = {
  'out-of-range': 'the stored offset is not in the topic: records were removed unread, or the topic was made again',
  'other-record': 'another record is where the last one stored was: the topic was made again',
  'record-gone': 'the last record stored is gone: the topic was made again, or compacted, which loses turns',
};
