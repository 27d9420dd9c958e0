import type { DataSource, EntityManager } from 'typeorm';
import { DriftError } from '../drift-error.js';

export interface Partition {
  consumerGroup: string;
  topic: string;
  partition: number;
}

/** Offsets that the broker has of a partition: `low` is the first, `high` the one after the last. */
export interface OffsetRange {
  partition: number;
  low: bigint;
  high: bigint;
}

export interface Position {
  partition: number;
  /** Where reading goes on. */
  offset: bigint;
  /** The offset after the partition's last record. */
  end: bigint;
  /** The stored offset, where the broker does not have it: records were removed unread, or the topic was made again. */
  outOfRange?: bigint;
}

/**
 * Where to read the partitions on from: what PostgreSQL says, a new partition from its first record. An offset that the
 * broker does not have is set back to the first record, which redelivery makes harmless.
 * @param ranges asked of the broker after the stored offsets, so that none of these can be newer
 * @throws DriftError `broker-unavailable` where the broker leaves a partition out
 */
export async function takePositions(
  dataSource: DataSource,
  consumerGroup: string,
  topic: string,
  partitions: number[],
  ranges: () => Promise<OffsetRange[]>,
): Promise<Position[]> {
  const stored = await storedOffsets(dataSource, consumerGroup, topic);
  const assigned = (await ranges()).filter(({ partition }) => partitions.includes(partition));
  if (assigned.length < partitions.length) {
    const message = `Kafka does not know all of the partitions ${partitions.join(', ')} of ${topic} yet.`;
    throw new DriftError('broker-unavailable', message, { retriable: true });
  }
  const positions = assigned.map((range) => positionIn(range, stored.get(range.partition)));
  await storePositions(dataSource, consumerGroup, topic, positions);
  return positions;
}

export async function storedOffsets(
  dataSource: DataSource,
  consumerGroup: string,
  topic: string,
): Promise<Map<number, bigint>> {
  const rows = await dataSource.query<{ partition: number; next_offset: string }[]>(
    'SELECT partition, next_offset FROM consumer_offsets WHERE consumer_group = $1 AND topic = $2',
    [consumerGroup, topic],
  );
  return new Map(rows.map((row) => [row.partition, BigInt(row.next_offset)]));
}

function positionIn({ partition, low, high }: OffsetRange, stored?: bigint): Position {
  if (stored === undefined) return { partition, offset: low, end: high };
  if (stored < low || stored > high) return { partition, offset: low, end: high, outOfRange: stored };
  return { partition, offset: stored, end: high };
}

async function storePositions(
  dataSource: DataSource,
  consumerGroup: string,
  topic: string,
  positions: Position[],
): Promise<void> {
  await dataSource.query(
    `INSERT INTO consumer_offsets (consumer_group, topic, partition, next_offset)
     SELECT $1, $2, * FROM unnest($3::integer[], $4::bigint[])
     ON CONFLICT DO NOTHING`,
    [
      consumerGroup,
      topic,
      positions.map(({ partition }) => partition),
      positions.map(({ offset }) => offset.toString()),
    ],
  );
  for (const { partition, offset, outOfRange } of positions) {
    if (outOfRange === undefined) continue;
    await dataSource.query(
      `UPDATE consumer_offsets SET next_offset = $4, updated_at = now()
       WHERE consumer_group = $1 AND topic = $2 AND partition = $3 AND next_offset = $5`,
      [consumerGroup, topic, partition, offset.toString(), outOfRange.toString()],
    );
  }
}

/** The partition's next offset, held until the transaction ends; undefined where it was never assigned. */
export async function lockOffset(manager: EntityManager, source: Partition): Promise<bigint | undefined> {
  const [row] = await manager.query<{ next_offset: string }[]>(
    `SELECT next_offset FROM consumer_offsets WHERE consumer_group = $1 AND topic = $2 AND partition = $3 FOR UPDATE`,
    [source.consumerGroup, source.topic, source.partition],
  );
  return row && BigInt(row.next_offset);
}

export async function advanceOffset(manager: EntityManager, source: Partition, nextOffset: bigint): Promise<void> {
  await manager.query(
    `UPDATE consumer_offsets SET next_offset = $4, updated_at = now()
     WHERE consumer_group = $1 AND topic = $2 AND partition = $3`,
    [source.consumerGroup, source.topic, source.partition, nextOffset.toString()],
  );
}
