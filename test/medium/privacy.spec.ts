import { register } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REDACTION_KINDS } from '../../src/privacy/redaction-settings.js';
import { asRecord, turnEvent } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

let harness: IngestHarness;
beforeEach(async () => {
  harness = await IngestHarness.create();
});
afterEach(() => harness.close());

const PERSONAL = ['zora@example.com', '203.0.113.77', 'alice-4711'];
const text = `write to ${PERSONAL[0]}, I am at ${PERSONAL[1]}`;
const event = turnEvent({
  content: [
    { type: 'text', text },
    { type: 'tool_call', function: { name: 'mail', arguments: `{"to":"${PERSONAL[0]}"}` } },
  ],
  userId: PERSONAL[2],
  metadata: { contact: PERSONAL[0]! },
  feedback: { kind: 'edit', value: text },
});
const invalid = { ...turnEvent({ content: text, userId: PERSONAL[2] }), role: 'nobody' };

async function everythingStored(): Promise<string> {
  const tables = await harness.dataSource.query<{ name: string }[]>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  const texts = await Promise.all(
    tables.map(({ name }) =>
      harness.dataSource.query(
        `SELECT to_jsonb(t) - 'payload' AS row, to_jsonb(t)->>'payload' AS payload FROM ${name} t`,
      ),
    ),
  );
  return JSON.stringify(texts, (_, value) =>
    typeof value === 'string' && value.startsWith('\\x') ? Buffer.from(value.slice(2), 'hex').toString('utf8') : value,
  );
}

describe('with redaction on', () => {
  it('stores nothing personal of turns, parts, metadata, feedback and dead letters, and counts what it took out', async () => {
    const before = await redactions('email');
    await harness.produce([
      asRecord(event),
      { key: PERSONAL[0]!, value: JSON.stringify(invalid), headers: { 'x-from': PERSONAL[0]! } },
      { key: 'k', value: `no json from ${PERSONAL[0]}` },
      asRecord({ ...event, content: `${text}, and more` }),
    ]);
    await harness.startConsumer();
    await harness.stored();
    const stored = await everythingStored();
    for (const personal of PERSONAL) expect(stored).not.toContain(personal);
    expect((await harness.rows('turns'))[0]).toMatchObject({
      content: 'write to [email], I am at [ip]\n[tool call: mail]',
      user_id: expect.stringMatching(/^u_[0-9a-f]{32}$/),
      metadata: { contact: '[email]' },
      parts: [{ text: 'write to [email], I am at [ip]' }, { function: { arguments: '{"to":"[email]"}' } }],
    });
    expect(await harness.rows('turn_feedback')).toMatchObject([{ value: 'write to [email], I am at [ip]' }]);
    expect((await harness.rows('dead_letters')).map(({ reason }) => reason).sort()).toEqual([
      'conflict',
      'invalid',
      'undecodable',
    ]);
    const letters = JSON.stringify(
      (await harness.deadLetters(3)).map(({ key, value, headers }) => [
        String(key),
        String(value),
        headers && Object.values(headers).map(String),
      ]),
    );
    for (const personal of PERSONAL) expect(letters).not.toContain(personal);
    expect(await redactions('email')).toBeGreaterThan(before + 4);
  });

  it('takes a turn that comes again for the same, also under other settings', async () => {
    const consumer = await harness.startConsumer();
    await harness.produce([asRecord(event)]);
    await harness.stored();
    await harness.stopConsumer(consumer);
    Object.assign(harness.config, {
      redaction: { ...harness.config.redaction, kinds: REDACTION_KINDS.filter((kind) => kind !== 'ip') },
    });
    await harness.produce([asRecord(event), asRecord({ ...event, turn: 1 })]);
    await harness.startConsumer();
    await harness.stored();
    expect(await harness.rows('dead_letters')).toEqual([]);
    expect((await harness.rows('turns')).map(({ content }) => String(content).split('\n')[0])).toEqual([
      'write to [email], I am at [ip]',
      'write to [email], I am at 203.0.113.77',
    ]);
  });
});

async function redactions(kind: string): Promise<number> {
  const metric = await register.getSingleMetric('driftloop_redactions_total')?.get();
  return metric?.values.find(({ labels }) => labels.kind === kind)?.value ?? 0;
}
