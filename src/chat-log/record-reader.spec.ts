import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaMessage } from 'kafkajs';
import { afterAll, expect, it } from 'vitest';
import { loadConfig } from '../config/config.js';
import { privacyOf, privacySettings } from '../privacy/privacy.js';
import { readRecord } from './read-record.js';
import { RecordReader } from './record-reader.js';

const config = loadConfig({
  DRIFTLOOP_PRIVACY_KEY: randomBytes(32).toString('hex'),
  DRIFTLOOP_STATE_DIR: tmpdir(),
});
const settings = privacySettings(config);
const reader = new RecordReader(settings);
afterAll(() => reader.close());

const SOURCE = { topic: 'turns', partition: 3 };

function message(offset: number, given: Partial<KafkaMessage>): KafkaMessage {
  const record = {
    offset: String(offset),
    timestamp: '1790000000000',
    attributes: 0,
    key: null,
    value: null,
    headers: {},
  };
  return { ...record, ...given } as KafkaMessage;
}

function turn(offset: number, content: string): KafkaMessage {
  const event = { schema: 'driftloop.turn.v1', conversationId: `c${offset}`, turn: 0, role: 'user', content };
  const value = JSON.stringify({
    ...event,
    occurredAt: '2026-01-01T00:00:00Z',
    userId: 'maria',
    metadata: { team: 'a' },
  });
  return message(offset, { key: Buffer.from(`c${offset}`), value: Buffer.from(value) });
}

const CHAT = JSON.stringify({ messages: [{ role: 'user', content: 'Grüße ✓ from maria@example.com' }] });
const RECORDS = [
  turn(0, 'Call +49 30 901820 or write to maria@example.com'),
  message(1, {}),
  message(2, { key: Buffer.from('k'), value: Buffer.from('{"broken":') }),
  message(3, { value: Buffer.from([0xff, 0xfe]) }),
  message(4, {
    value: Buffer.from(CHAT),
    headers: { 'Content-Type': Buffer.from('application/vnd.driftloop.openai.messages+json') },
  }),
  message(5, { value: Buffer.from(CHAT), headers: { 'content-type': ['no/such', 'other'], ce_type: undefined } }),
];

it('reads what reading in this thread reads, in the order of the messages', async () => {
  const many = [...RECORDS, ...Array.from({ length: 450 }, (_, index) => turn(6 + index, `turn ${index}`))];
  const privacy = privacyOf(settings);
  const read = await reader.read(many, SOURCE);
  expect(read).toEqual(many.map((record) => readRecord(record, SOURCE, privacy)));
  expect(new Set(read.map(({ outcome }) => outcome))).toEqual(new Set(['decoded', 'rejected']));
});

it('leaves the messages as they were: a dead letter has their bytes', async () => {
  const record = turn(0, 'as it was');
  const before = Buffer.from(record.value!);
  await reader.read([record], SOURCE);
  expect(record.value).toEqual(before);
});

it('says why its thread died, and starts it again', async () => {
  const broken = new RecordReader({ ...settings, redaction: { ...settings.redaction, phoneCountry: 'XX' as never } });
  for (let round = 0; round < 2; round++) {
    const reading = broken.read([turn(0, 'never read')], SOURCE);
    await expect(reading).rejects.toThrow(/^The thread that reads records is gone: .*no country is called XX/);
  }
  await broken.close();
});

it('ends at once where its thread is busy, and reads nothing more', async () => {
  const busy = new RecordReader(settings);
  await busy.read([turn(0, 'it has started')], SOURCE);
  const slow = '123 456 789 012 '.repeat(32_000);
  const reading = busy.read([turn(1, slow), turn(2, slow)], SOURCE);
  const [read] = await Promise.all([Promise.allSettled([reading]), sleep(100).then(() => busy.close())]);
  expect(read).toEqual([
    { status: 'rejected', reason: expect.objectContaining({ message: expect.stringMatching(/is gone/) }) },
  ]);
});
