import type { DataSource, EntityManager } from 'typeorm';
import { DriftError } from '../drift-error.js';

export interface Partition {
  consumerGroup: string;
  topic: string;
  partition: number;
}

/** The last record before a position, and what tells it from another one at its offset. */
export interface LastRecord {
  offset: bigint;
  sha256: string;
}

/** How far a partition is stored. */
export interface Position {
  nextOffset: bigint;
  /** Null where no record was read since the partition was begun. */
  last: LastRecord | null;
}

/** Offsets that the broker has of a partition: `low` is the first, `high` the one after the last. */
export interface OffsetRange {
  partition: number;
  low: bigint;
  high: bigint;
}

/** Why a partition is read from its first record again. */
export const RESTART_REASONS = ['out-of-range', 'other-record', 'record-gone'] as const;
export type RestartReason = (typeof RESTART_REASONS)[number];

/** A stored position that the topic contradicts, as the reader found. */
export interface Doubt {
  reason: RestartReason;
  position: Position;
}

export interface AssignedPosition extends Position {
  partition: number;
  /** The offset after the partition's last record. */
  end: bigint;
  /** Set where the stored position cannot be that of this topic, which is then begun again. */
  restart?: Restart;
}

export interface Restart {
  reason: RestartReason;
  storedOffset: bigint;
}

export interface AssignedPartitions {
  consumerGroup: string;
  topic: string;
  partitions: number[];
  doubts: ReadonlyMap<number, Doubt>;
  /** Asked of the broker after the stored offsets, so that none of these can be newer. */
  ranges: () => Promise<OffsetRange[]>;
}

/**
 * Where to read the partitions on from: what PostgreSQL says, a new partition from its first record. One whose stored
 * position is not of this topic begins again at the first record, which redelivery makes harmless.
 * @throws DriftError `broker-unavailable` where the broker leaves a partition out
 */
export async function takePositions(
  dataSource: DataSource,
  { consumerGroup, topic, partitions, doubts, ranges }: AssignedPartitions,
): Promise<AssignedPosition[]> {
  const stored = await storedPositions(dataSource, consumerGroup, topic);
  const assigned = (await ranges()).filter(({ partition }) => partitions.includes(partition));
  if (assigned.length < partitions.length) {
    const message = `Kafka does not know all of the partitions ${partitions.join(', ')} of ${topic} yet.`;
    throw new DriftError('broker-unavailable', message, { retriable: true });
  }
  const positions = assigned.map((range) =>
    positionIn(range, stored.get(range.partition), doubts.get(range.partition)),
  );
  await storeBegun(dataSource, { consumerGroup, topic }, positions, stored);
  return positions;
}

/** The next offset of each partition that was ever assigned. */
export async function storedPositions(
  dataSource: DataSource,
  consumerGroup: string,
  topic: string,
): Promise<Map<number, Position>> {
  const rows = await dataSource.query<(PositionRow & { partition: number })[]>(
    `SELECT partition, ${POSITION} FROM consumer_offsets WHERE consumer_group = $1 AND topic = $2`,
    [consumerGroup, topic],
  );
  return new Map(rows.map((row) => [row.partition, positionOf(row)]));
}

function positionIn({ partition, low, high }: OffsetRange, stored?: Position, doubt?: Doubt): AssignedPosition {
  const begin = { partition, nextOffset: low, last: null, end: high };
  if (!stored) return begin;
  const { nextOffset, last } = stored;
  const restart = (reason: RestartReason) => ({ ...begin, restart: { reason, storedOffset: nextOffset } });
  if (nextOffset < low || nextOffset > high) return restart('out-of-range');
  // Retention took the records up to here, or none was read: what is there can be read whole.
  if (!last || last.offset < low) return begin;
  if (doubt && samePosition(doubt.position, stored)) return restart(doubt.reason);
  return { partition, ...stored, end: high };
}

/** Stores the positions of partitions that are new or begin again, unless somebody else moved them meanwhile. */
async function storeBegun(
  dataSource: DataSource,
  { consumerGroup, topic }: Omit<Partition, 'partition'>,
  positions: AssignedPosition[],
  stored: ReadonlyMap<number, Position>,
): Promise<void> {
  await dataSource.query(
    `INSERT INTO consumer_offsets (consumer_group, topic, partition, next_offset)
     SELECT $1, $2, * FROM unnest($3::integer[], $4::bigint[])
     ON CONFLICT DO NOTHING`,
    [
      consumerGroup,
      topic,
      positions.map(({ partition }) => partition),
      positions.map(({ nextOffset }) => nextOffset.toString()),
    ],
  );
  for (const { partition, nextOffset, last } of positions) {
    const before = stored.get(partition);
    if (!before || samePosition(before, { nextOffset, last })) continue;
    await dataSource.query(
      `UPDATE consumer_offsets SET next_offset = $4, last_offset = NULL, last_sha256 = NULL, updated_at = now()
       WHERE consumer_group = $1 AND topic = $2 AND partition = $3 AND next_offset = $5`,
      [consumerGroup, topic, partition, nextOffset.toString(), before.nextOffset.toString()],
    );
  }
}

/** The partition's position, held until the transaction ends; undefined where it was never assigned. */
export async function lockPosition(manager: EntityManager, source: Partition): Promise<Position | undefined> {
  const [row] = await manager.query<PositionRow[]>(
    `SELECT ${POSITION} FROM consumer_offsets WHERE consumer_group = $1 AND topic = $2 AND partition = $3 FOR UPDATE`,
    [source.consumerGroup, source.topic, source.partition],
  );
  return row && positionOf(row);
}

export async function storePosition(
  manager: EntityManager,
  source: Partition,
  { nextOffset, last }: Position,
): Promise<void> {
  await manager.query(
    `UPDATE consumer_offsets SET next_offset = $4, last_offset = $5, last_sha256 = $6, updated_at = now()
     WHERE consumer_group = $1 AND topic = $2 AND partition = $3`,
    [
      source.consumerGroup,
      source.topic,
      source.partition,
      nextOffset.toString(),
      last?.offset.toString() ?? null,
      last?.sha256 ?? null,
    ],
  );
}

export function samePosition(a: Position, b: Position): boolean {
  return a.nextOffset === b.nextOffset && a.last?.offset === b.last?.offset && a.last?.sha256 === b.last?.sha256;
}

const POSITION = 'next_offset, last_offset, last_sha256';

interface PositionRow {
  next_offset: string;
  last_offset: string | null;
  last_sha256: string | null;
}

/** Where somebody set the next offset back by hand, the last record does not belong to it. */
function positionOf(row: PositionRow): Position {
  const nextOffset = BigInt(row.next_offset);
  const last = row.last_offset === null ? null : { offset: BigInt(row.last_offset), sha256: row.last_sha256! };
  return { nextOffset, last: last && last.offset < nextOffset ? last : null };
}
