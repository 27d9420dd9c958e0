import kafkajs from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, startService } from '../../src/service.js';
import { makeTopics } from '../../src/stack/topics.js';
import { conversation, turnEvent } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

const KEY = 'key-of-the-chat-product';
const OTHER_KEY = 'key-of-another-product';
const silent = pino({ level: 'silent' });
const harness = await IngestHarness.create();
const config = { ...harness.config, roles: ['api' as const], ingestApiKeys: [KEY, OTHER_KEY] };
let service: Service;

beforeAll(async () => {
  service = await startService(config, silent);
});
afterAll(async () => {
  await service.stop();
  await harness.close();
});

async function post(body: unknown, headers: Record<string, string> = {}, { apiPort } = service) {
  const response = await fetch(`http://127.0.0.1:${apiPort}/v1/turns`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** How many records the topic has. */
async function produced(): Promise<number> {
  const admin = harness.kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(config.topics.turns);
  await admin.disconnect();
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

async function producedBy(act: () => Promise<unknown>): Promise<number> {
  const before = await produced();
  await act();
  return (await produced()) - before;
}

describe('turns over HTTP', () => {
  it('go the way of those from Kafka, and the same again is a duplicate', async () => {
    const events = conversation('http', ['Capital of Australia?', 'Sydney.', 'BAD']);
    const feedback = {
      schema: 'driftloop.feedback.v1',
      conversationId: 'http',
      turn: 1,
      feedback: { kind: 'thumbs', value: 'down' },
      occurredAt: '2026-01-01T00:00:00Z',
    };
    const { status, body } = await post({ events: [...events, feedback] });
    expect({ status, body }).toEqual({
      status: 202,
      body: { accepted: 4, rejected: 0, items: Array(4).fill({ outcome: 'accepted' }) },
    });
    await post({ events });
    await harness.startConsumer();
    await harness.stored();
    expect(await harness.rows('anchors')).toMatchObject([{ conversation_id: 'http', turn: 2 }]);
    expect(await harness.rows('turns')).toHaveLength(3);
    expect(await harness.rows('turn_feedback')).toHaveLength(1);
    expect(await harness.rows('dead_letters')).toEqual([]);
  });

  it('are answered one by one where some are not valid', async () => {
    const large = turnEvent({ conversationId: 'part', turn: 1, content: 'x'.repeat(1024 * 1024 + 1) });
    const events = [
      turnEvent({ conversationId: 'part' }),
      { ...turnEvent({ conversationId: 'part' }), role: 'nobody' },
      { schema: 'driftloop.turn.v9' },
      { schema: 'driftloop.erase.v1', conversationId: 'http', occurredAt: '2026-01-01T00:00:00Z' },
      { conversations: [] },
      large,
    ];
    expect((await post({ events })).body).toMatchObject({
      accepted: 1,
      rejected: 5,
      items: [
        { outcome: 'accepted' },
        { outcome: 'rejected', reason: 'invalid', detail: expect.stringMatching(/^role: /) },
        { outcome: 'rejected', reason: 'unknown-schema' },
        { outcome: 'rejected', reason: 'unknown-schema', detail: expect.stringContaining('not taken over HTTP') },
        { outcome: 'rejected', reason: 'unknown-format' },
        { outcome: 'rejected', reason: 'too-large' },
      ],
    });
  });

  it('are refused where they nest too deeply', async () => {
    const deep = (levels: number) => `{"events":[{"x":${'['.repeat(levels)}${']'.repeat(levels)}}]}`;
    for (const levels of [65, 100_000]) {
      expect(await post(deep(levels))).toMatchObject({
        status: 400,
        body: { detail: expect.stringContaining('64 levels') },
      });
    }
    expect((await post(deep(10))).status).toBe(422);
  });

  it('are refused where none is valid, or the request is none', async () => {
    const none = await post({ events: [{ ...turnEvent(), turn: -1 }] });
    expect(none).toMatchObject({
      status: 422,
      body: {
        title: 'Unprocessable Entity',
        errors: [{ path: 'events.0', message: expect.stringMatching(/^turn: /) }],
      },
    });
    expect(none.headers.get('content-type')).toContain('application/problem+json');
    expect(await post({ events: [] })).toMatchObject({ status: 400, body: { errors: [{ path: 'events' }] } });
    expect(await post({ turns: [] })).toMatchObject({ status: 400 });
    expect(await post('{')).toMatchObject({ status: 400, body: { title: 'Bad Request' } });
    expect(await post({ events: [turnEvent()] }, { 'content-type': 'application/xml' })).toMatchObject({ status: 415 });
    const deep = `{"events":[{"schema":"driftloop.turn.v1","conversationId":"c","turn":0,"role":"user","occurredAt":"2026-01-01T00:00:00Z","content":[{"type":"x","y":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}]}`;
    expect([400, 422]).toContain((await post(deep)).status);
  });

  it('are refused without a key, and with a wrong one', async () => {
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${KEY}`, `Bearer ${KEY}x`]) {
      const { status, headers, body } = await post({ events: [turnEvent()] }, { authorization });
      expect({ status, challenge: headers.get('www-authenticate') }).toEqual({ status: 401, challenge: 'Bearer' });
      expect(body).toMatchObject({ title: 'Unauthorized', detail: expect.stringContaining('API key') });
    }
  });

  it('are refused over 8 MiB', async () => {
    const events = [turnEvent({ content: 'x'.repeat(8 * 1024 * 1024) })];
    expect(await post({ events })).toMatchObject({ status: 413, body: { title: 'Payload Too Large' } });
  });
});

describe('a request with an Idempotency-Key', () => {
  const request = { events: [turnEvent({ conversationId: 'once' }), { schema: 'x' }] };

  it('is answered the same when it comes again, and produces nothing then', async () => {
    const headers = { 'idempotency-key': 'again' };
    const first = await post(request, headers);
    expect(first.body).toMatchObject({ accepted: 1, rejected: 1 });
    expect(await producedBy(async () => expect((await post(request, headers)).body).toEqual(first.body))).toBe(0);
  });

  it('produces once when it comes several times at once', async () => {
    const headers = { 'idempotency-key': 'at-once' };
    const all = () => Promise.all(Array.from({ length: 5 }, () => post(request, headers)));
    expect(await producedBy(all)).toBe(1);
  });

  it('is refused where the key was used for another one', async () => {
    const headers = { 'idempotency-key': 'other' };
    await post(request, headers);
    const other = await post({ events: [turnEvent({ conversationId: 'other' })] }, headers);
    expect(other).toMatchObject({ status: 422, body: { detail: expect.stringContaining('another request') } });
    expect(await post(request, { 'idempotency-key': 'x'.repeat(256) })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'idempotency-key' }] },
    });
  });

  it("is another client's own", async () => {
    const headers = { 'idempotency-key': 'mine' };
    await post(request, headers);
    const other = { ...headers, authorization: `Bearer ${OTHER_KEY}` };
    expect(await producedBy(() => post({ events: [turnEvent({ turn: 1 })] }, other))).toBe(1);
  });

  it('is forgotten after a day', async () => {
    const headers = { 'idempotency-key': 'old' };
    await post(request, headers);
    await harness.dataSource.query(`UPDATE ingest_requests SET answered_at = now() - interval '25 hours'`);
    expect(await producedBy(() => post(request, headers))).toBe(1);
    const [{ count }] = await harness.dataSource.query('SELECT count(*)::int AS count FROM ingest_requests');
    expect(count).toBe(1);
  });
});

describe("turns larger than the topic's limit", () => {
  const turns = `${config.topics.turns}.small`;
  const request = { events: [turnEvent({ content: 'x'.repeat(50_000) })] };
  const headers = { 'idempotency-key': 'too-large' };
  const admin = harness.kafka.admin();
  let small: Service;

  const limit = (bytes: number) => [{ name: 'max.message.bytes', value: String(bytes) }];

  beforeAll(async () => {
    await admin.connect();
    await makeTopics(admin, [{ topic: turns, configEntries: limit(10_000) }]);
    small = await startService({ ...config, topics: { ...config.topics, turns } }, silent);
  });
  afterAll(async () => {
    await small.stop();
    await admin.disconnect();
  });

  it('are refused, and taken with the same Idempotency-Key once it is raised', async () => {
    for (const given of [{}, headers]) {
      const refused = await post(request, given, small);
      const detail = expect.stringContaining('max.message.bytes');
      expect(refused).toMatchObject({ status: 413, body: { title: 'Payload Too Large', status: 413, detail } });
      expect(refused.headers.get('retry-after')).toBeNull();
    }
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: turns, configEntries: limit(1_000_000) };
    await admin.alterConfigs({ validateOnly: false, resources: [resource] });
    const again = () => post(request, headers, small);
    await expect.poll(again, { timeout: 10_000 }).toMatchObject({ status: 202, body: { accepted: 1 } });
  });
});

describe('while something is away', () => {
  const request = { events: [turnEvent({ conversationId: 'away' })] };

  it('requests are to be sent again, and none is remembered that Kafka did not take', async () => {
    const alone = await startService({ ...config, kafkaBrokers: ['127.0.0.1:1'] }, silent);
    const headers = { 'idempotency-key': 'no-broker' };
    const refused = await post(request, headers, alone);
    expect(refused).toMatchObject({ status: 503, body: { title: 'Service Unavailable' } });
    expect(refused.headers.get('retry-after')).toBe('5');
    await alone.stop();
    expect(await producedBy(async () => expect(await post(request, headers)).toMatchObject({ status: 202 }))).toBe(1);
  });

  it('requests with a key wait for PostgreSQL, others do not need it', async () => {
    await harness.whileDatabaseIsAway(async () => {
      expect(await post(request, { 'idempotency-key': 'no-database' })).toMatchObject({ status: 503 });
      expect(await post(request)).toMatchObject({ status: 202 });
    });
    expect(await post(request, { 'idempotency-key': 'no-database' })).toMatchObject({ status: 202 });
  });
});

describe('without API keys', () => {
  it('turns are not taken, and Kafka is not needed', async () => {
    const closed = await startService({ ...config, ingestApiKeys: [], kafkaBrokers: [] }, silent);
    expect(await post({ events: [turnEvent()] }, {}, closed)).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('DRIFTLOOP_INGEST_API_KEYS') },
    });
    await closed.stop();
  });
});
