import { createHash } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { testPrivacy } from '../../test/factories/privacy.js';
import { Pseudonyms } from '../privacy/pseudonyms.js';
import type { Position } from './consumer-offsets.js';
import * as reading from './read-on.js';
import { type Fetched, fingerprint } from './read-on.js';

const { pseudonyms } = testPrivacy();

const record = (offset: number, value = `value ${offset}`, timestamp = '1') =>
  ({ offset: String(offset), timestamp, key: Buffer.from('k'), value: Buffer.from(value) }) as KafkaMessage;

const readOn = (position: Position, given: Fetched) => reading.readOn(position, given, pseudonyms);
const positionAfter = (position: Position, messages: KafkaMessage[], nextOffset: bigint) =>
  reading.positionAfter(position, messages, nextOffset, pseudonyms);

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

  it('knows the fingerprint of an earlier release, which had no key', () => {
    const sha256 = createHash('sha256')
      .update(JSON.stringify(['1', 1, 7]))
      .update('kvalue 4')
      .digest('hex');
    const position = { nextOffset: 5n, last: { offset: 4n, sha256 } };
    expect(readOn(position, fetched(4, record(4)))).toMatchObject({ outcome: 'follows' });
    expect(readOn(position, fetched(4, record(4, 'other')))).toMatchObject({ outcome: 'foreign' });
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
  expect(new Set([kept, ...others].map((message) => fingerprint(message, pseudonyms))).size).toBe(4);
});

it('says nothing of a record to who lacks the key', () => {
  const other = new Pseudonyms(Buffer.from('another key'));
  expect(fingerprint(record(4), other)).not.toBe(fingerprint(record(4), pseudonyms));
});
