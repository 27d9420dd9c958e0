import { describe, expect, it } from 'vitest';
import { Redactor } from './redaction.js';
import { REDACTION_KINDS, type RedactionCounts, type RedactionKind } from './redaction-settings.js';

const redactor = (kinds: readonly RedactionKind[] = REDACTION_KINDS, phoneCountry = 'US' as const) =>
  new Redactor({ kinds, phoneCountry });
const redacted = (text: string) => redactor().text(text, {});
const LUHN = '4111 1111 1111 1111';

describe('a redactor', () => {
  it.each([
    ['write to jane.doe+x@mail.example.com!', 'write to [email]!'],
    ['<a href="mailto:jane@example.com">', '<a href="mailto:[email]">'],
    ['call (415) 555-0132 or +49 30 901820', 'call [phone] or [phone]'],
    ['phone: 04155550132', 'phone: [phone]'],
    [`card ${LUHN}, 12/29`, 'card [card], 12/29'],
    ['IBAN DE89 3704 0044 0532 0130 00 AND more', 'IBAN [iban] AND more'],
    ['from 203.0.113.7:8080 and 2001:db8::8a2e:370:7334', 'from [ip]:8080 and [ip]'],
    ['password: "hunter2!"', 'password: "[secret]"'],
    [`-H 'Authorization: Bearer abc123def456ghi789'`, `-H 'Authorization: Bearer [secret]'`],
    ['no digit: from fe::bad:cafe:beef:dead, jane@example.com', 'no digit: from [ip], [email]'],
  ])('makes of %j %j', (text, expected) => {
    expect(redacted(text)).toBe(expected);
  });

  it.each([
    'version 10.0.19041.1237 of 2023-04-01',
    'Chrome/114.0.0.0',
    'order 4155550132',
    '550e8400-e29b-41d4-a716-446655440000',
    'git@github.com:org/repo.git and pkg@1.2.3',
    '$1,234,567.89 or 1.234.567,89 €',
    'std::vector<a::b> x; f(12:34:56)',
    'card 4111 1111 1111 1112',
    'IBAN DE88 3704 0044 0532 0130 00',
    '127.0.0.1, 0.0.0.0, 255.255.255.0, ::1',
    'const password = hashlib.sha256(x); token = settings.API_KEY_2',
    'const x = 1.2345678 - 0.1234567;',
  ])('leaves %j alone', (text) => {
    expect(redacted(text)).toBe(text);
  });

  it('counts by kind, and takes the greater thing where two overlap', () => {
    const counts: RedactionCounts = {};
    const text = 'mysql://bob:s3cr3tPw@203.0.113.7/db, a@b.com, c@d.com';
    expect(redactor().text(text, counts)).toBe('[secret] a@b.com, c@d.com'.replace(/\S@\S+\.com/g, '[email]'));
    expect(counts).toEqual({ secret: 1, email: 2 });
  });

  it('does only the kinds it was given', () => {
    expect(redactor(['ip']).text('a@b.com 203.0.113.7', {})).toBe('a@b.com [ip]');
    expect(redactor([]).text('a@b.com 203.0.113.7', {})).toBe('a@b.com 203.0.113.7');
  });

  it('redacts a redacted text no further', () => {
    const once = redacted(`jane@example.com ${LUHN} (415) 555-0132 password=hunter2222`);
    expect(redacted(once)).toBe(once);
  });

  it('redacts strings, names of fields and numbers inside of JSON, and keeps what it need not change', () => {
    const untouched = { a: [1, 'x', null, true] };
    const given = { untouched, 'jane@example.com': { pan: 4111111111111111 } };
    const counts: RedactionCounts = {};
    const result = redactor().json(given, counts);
    expect(result).toEqual({ untouched, '[email]': { pan: '[card]' } });
    expect((result as typeof given).untouched).toBe(untouched);
    expect(redactor().json(untouched, counts)).toBe(untouched);
    expect(counts).toEqual({ email: 1, card: 1 });
  });

  it.each([
    '@'.repeat(200_000),
    'a@'.repeat(100_000),
    '1 '.repeat(100_000),
    '1'.repeat(200_000),
    'a.'.repeat(100_000),
    ':'.repeat(200_000),
    'password='.repeat(25_000),
    'eyJaaaaaaaa.'.repeat(20_000),
    '-----BEGIN PRIVATE KEY-----'.repeat(8_000),
    'http://a:'.repeat(25_000),
    'DE12 '.repeat(40_000),
  ])('gets through text that is made to take long (%#)', (text) => {
    expect(redactor().text(text, {})).not.toBe('');
  });

  it('gets through a text that is full of what it finds', () => {
    const counts: RedactionCounts = {};
    const addresses = 150_000;
    expect(redactor().text('a@b.co '.repeat(addresses), counts)).toBe('[email] '.repeat(addresses));
    expect(counts).toEqual({ email: addresses });
  });
});
