import { hash } from 'node:crypto';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { testPrivacy } from '../../test/factories/privacy.js';
import { KEPT_BYTES, makeDeadLetter } from './dead-letter.js';
import { MOST_IDS } from './letter-ids.js';
import { protectLetter } from './protect-letter.js';

type Rest = Pick<Partial<KafkaMessage>, 'key'> & { headers?: IHeaders };
const message = (value: string | Buffer | null, rest: Rest = {}): KafkaMessage => ({
  key: Buffer.from('c1'),
  value: typeof value === 'string' ? Buffer.from(value) : value,
  timestamp: '0',
  attributes: 0,
  offset: '7',
  headers: {},
  ...rest,
});
const protect = (value: string | Buffer | null, rest?: Rest, privacy = testPrivacy()) =>
  protectLetter(makeDeadLetter(message(value, rest), 'invalid', 'x: jane@example.com'), privacy);
const text = (...given: Parameters<typeof protect>) => String(protect(...given).message.value);

describe('a dead letter', () => {
  it('keeps value and plain sha256 where there is nothing to take out', () => {
    const value = '{"schema": "x",  "content":"hello"}';
    const letter = protect(value);
    expect(String(letter.message.value)).toBe(value);
    expect(letter.sha256).toBe(hash('sha256', value));
  });

  it('is redacted as JSON, escapes included, and has a keyed hash then', () => {
    const value = '{"content":"jane\\u0040example.com","n":4111111111111111}';
    const letter = protect(value);
    expect(JSON.parse(String(letter.message.value))).toEqual({ content: '[email]', n: '[card]' });
    expect(letter.sha256).not.toBe(hash('sha256', value));
    expect(letter.bytes).toBe(letter.message.value!.length);
    expect(letter.redactions).toMatchObject({ card: 1 });
  });

  it('is redacted as text where it is no JSON', () => {
    expect(text('{"userId":"alice","content":"jane\\u0040example.com')).toMatch(
      /^\{"userId":"u_[0-9a-f]{32}","content":"\[email\]$/,
    );
  });

  it('has hashes for ids of users, in every form', () => {
    const user = testPrivacy().pseudonyms.userId('alice');
    const value = { userId: 'alice', user: 'alice', attributes: [{ key: 'user.id', value: { stringValue: 'alice' } }] };
    expect(text(JSON.stringify(value))).toBe(JSON.stringify(value).replaceAll('alice', user));
  });

  it('has hashes for ids of users that are numbers, as it has for their text', () => {
    const user = testPrivacy().pseudonyms.userId('4711');
    const value = { userId: 4711, attributes: [{ key: 'user.id', value: { intValue: '4711' } }] };
    const hashed = { userId: user, attributes: [{ key: 'user.id', value: { intValue: user } }] };
    expect(JSON.parse(text(JSON.stringify(value)))).toEqual(hashed);
    expect(text('{"userId": 4711, "content": "x')).toBe(`{"userId":"${user}", "content": "x`);
  });

  it('has no value where that names more than can be found again', () => {
    const value = JSON.stringify(Array.from({ length: MOST_IDS }, (_, index) => ({ user: index })));
    const letter = protect(value);
    expect(String(letter.message.value)).toBe(`[value of ${value.length} bytes that name over 10000 ids]`);
    expect(letter.cut).toBe(true);
  });

  it('has a hash for the key where that is the user', () => {
    const user = testPrivacy().pseudonyms.userId('alice');
    const key = Buffer.from('alice');
    expect(String(protect('{"user":"alice","messages":1}', { key }).message.key)).toBe(user);
    expect(String(protect('{"conversationId":"alice"}', { key }).message.key)).toBe('alice');
  });

  it('has neither a value, a header nor a key that is no text', () => {
    const utf16 = Buffer.from('jane@example.com', 'utf16le');
    const letter = protect(utf16, { key: Buffer.from([0xff]), headers: { h: utf16, id: Buffer.from([0xff, 0xfe]) } });
    expect(String(letter.message.value)).toBe('[value of 32 bytes that are not text]');
    expect(String(letter.message.key)).toBe('[key of 1 bytes that are not text]');
    expect(String((letter.message.headers!.h as Buffer[])[0])).toBe('[header of 32 bytes that are not text]');
    expect(letter.message.headers!.id).toEqual([Buffer.from([0xff, 0xfe])]);
    expect(letter.cut).toBe(true);
    expect(protect('{}', { key: Buffer.from([0xff]) }).cut).toBe(true);
    expect(protect('{}', { headers: { h: utf16 } }).cut).toBe(true);
    expect(protect('{}').cut).toBe(false);
  });

  it('is redacted in key, headers, detail and data in base64', () => {
    const data_base64 = Buffer.from('{"content":"a@b.com"}').toString('base64');
    const letter = protect(JSON.stringify({ data_base64 }), {
      key: Buffer.from('jane@example.com'),
      headers: { 'x-mail': 'jane@example.com' },
    });
    expect(
      JSON.stringify(letter, (_, item) => (item?.type === 'Buffer' ? String(Buffer.from(item.data)) : item)),
    ).not.toContain('jane@');
    const sent = JSON.parse(String(letter.message.value));
    expect(String(Buffer.from(sent.data_base64, 'base64'))).toBe('{"content":"[email]"}');
    expect(letter.detail).toBe('x: [email]');
  });

  it('hides what lies across the end of what is kept', () => {
    const large = `${'x '.repeat(1024 * 1024)}`;
    const cut = `${large.slice(0, KEPT_BYTES - 10)} jane.doe.the.third@example.com ${large}`;
    expect(text(cut)).not.toContain('jane');
    expect(text(cut)).toHaveLength(KEPT_BYTES);
  });

  it('is redacted however deeply it is nested', () => {
    expect(text(`${'['.repeat(50_000)}"jane@example.com"`)).toMatch(/\["\[email\]"$/);
  });

  it('keeps its bytes where redaction is off, and hashes ids of users still', () => {
    const privacy = testPrivacy([]);
    expect(protect(Buffer.from([0xff]), {}, privacy).message.value).toEqual(Buffer.from([0xff]));
    expect(text('{"userId":"alice","c":"a@b.com"}', {}, privacy)).toMatch(/^\{"userId":"u_\w+","c":"a@b.com"\}$/);
  });
});
