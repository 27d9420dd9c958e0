import type { KafkaMessage } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { positionAfter, readOn, recordSha256 } from './read-on.js';

const record = (offset: number, value = `value ${offset}`, timestamp = '1') =>
  ({ offset: String(offset), timestamp, key: Buffer.from('k'), value: Buffer.from(value) }) as KafkaMessage;

const at = (offset: number, stored = record(offset)) =>
  positionAfter({ nextOffset: 0n, last: null }, [stored], BigInt(offset + 1));

function fetched(from: number, ...messages: KafkaMessage[]) {
  return { from: BigInt(from), messages, nextOffset: BigInt(messages.at(-1)?.offset ?? from) + 1n };
}

describe('reading on', () => {
  it('takes what follows the last record stored, without it', () => {
    const reading = readOn(at(4), fetched(4, record(4), record(5), record(7)));
    expect(reading).toEqual({ outcome: 'follows', messages: [record(5), record(7)], nextOffset: 8n });
  });

  it('takes nothing that does not begin with that record', () => {
    expect(readOn(at(4), fetched(5, record(5)))).toEqual({ outcome: 'unproved' });
  });

  it.each([
    ['value', record(4, 'other')],
    ['time', record(4, 'value 4', '2')],
    ['key', { ...record(4), key: null }],
  ])('finds another record at its offset by the %s', (_, other) => {
    expect(readOn(at(4), fetched(4, other, record(5)))).toEqual({ outcome: 'foreign', reason: 'other-record' });
  });

  it('finds that it is gone', () => {
    expect(readOn(at(4), fetched(4, record(5)))).toEqual({ outcome: 'foreign', reason: 'record-gone' });
  });

  it('asks for the position again where the fetch began before it', () => {
    expect(readOn(at(4), fetched(0, record(0)))).toEqual({ outcome: 'astray' });
    expect(readOn({ nextOffset: 3n, last: null }, fetched(0, record(0)))).toEqual({ outcome: 'astray' });
  });

  it('begins a partition with the first record there is', () => {
    const reading = readOn({ nextOffset: 3n, last: null }, fetched(3, record(4)));
    expect(reading).toMatchObject({ outcome: 'follows', messages: [record(4)], nextOffset: 5n });
  });
});

it('keeps the last record where only control records follow', () => {
  const position = at(4);
  expect(positionAfter(position, [], 9n)).toEqual({ nextOffset: 9n, last: position.last });
});

it('tells key from value, and nothing from empty', () => {
  const kept = { timestamp: '1', key: Buffer.from('a'), value: Buffer.from('b') } as KafkaMessage;
  const others = [
    { ...kept, key: Buffer.from('ab'), value: Buffer.alloc(0) },
    { ...kept, key: Buffer.alloc(0), value: Buffer.from('ab') },
    { ...kept, key: null, value: Buffer.from('ab') },
  ];
  expect(new Set([kept, ...others].map(recordSha256)).size).toBe(4);
});
