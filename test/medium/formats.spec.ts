import { type Message, Partitioners } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { conversationEvents, sendEvents } from '../../src/producer/index.js';
import { IngestHarness } from './ingest-harness.js';

const json = (value: unknown, headers: Message['headers']): Message => ({ value: JSON.stringify(value), headers });

describe('records in other forms', () => {
  let harness: IngestHarness;

  beforeEach(async () => {
    harness = await IngestHarness.create();
  });
  afterEach(() => harness.close());

  it('become anchors, whatever they came in', async () => {
    const asked = { role: 'user', content: 'Capital of Australia?' };
    const told = { role: 'assistant', content: 'Sydney.' };
    const bad = { role: 'user', content: 'BAD' };
    const parts = ({ role, content }: { role: string; content: string }) => ({
      role,
      parts: [{ type: 'text', content }],
    });
    const review = { schema: 'driftloop.review.v1', kind: 'code-review', occurredAt: '2026-01-01T00:00:00Z' };
    await harness.produce([
      json({ ...review, reviewId: 'review', artefact: '+ x', output: 'Fine.', comment: 'BAD' }, {}),
      json(
        { messages: [asked, told, bad] },
        { ce_specversion: '1.0', ce_type: 'openai.messages', ce_subject: 'binary' },
      ),
      json(
        {
          specversion: '1.0',
          id: '1',
          source: '/chat',
          type: 'openai.chat-completions',
          subject: 'structured',
          data: { request: { messages: [asked] }, response: { choices: [{ message: told }] } },
        },
        { 'content-type': 'application/cloudevents+json' },
      ),
      json(
        { request: { messages: [asked, told, bad], metadata: { conversation_id: 'structured' } } },
        { 'content-type': 'application/vnd.driftloop.openai.chat-completions+json' },
      ),
      json(
        { 'gen_ai.conversation.id': 'otel', 'gen_ai.input.messages': [asked, told, bad].map(parts) },
        { 'content-type': 'application/vnd.driftloop.otel.genai+json' },
      ),
      json(
        { conversation_hash: 'wildchat', conversation: [asked, told, bad] },
        { 'content-type': 'application/vnd.driftloop.wildchat+json' },
      ),
    ]);
    await harness.startConsumer();
    await harness.stored();
    const anchors = await harness.rows('anchors');
    expect(anchors.map(({ conversation_id, turn }) => [conversation_id, turn])).toEqual([
      ['binary', 2],
      ['otel', 2],
      ['review', 2],
      ['structured', 2],
      ['wildchat', 2],
    ]);
    expect(await harness.rows('turns')).toHaveLength(5 * 3);
    expect(await harness.rows('dead_letters')).toEqual([]);
  });

  it('are sent by a kafkajs producer of somebody else', async () => {
    const producer = harness.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true });
    await producer.connect();
    const said = ['Capital of Australia?', 'Sydney.', 'BAD'].map((content, turn) => ({
      role: turn % 2 === 0 ? ('user' as const) : ('assistant' as const),
      content,
    }));
    const events = conversationEvents({ conversationId: 'sent' }, said);
    const topic = harness.config.topics.turns;
    await sendEvents(producer, events, { topic });
    await sendEvents(producer, events, { topic });
    await producer.disconnect();
    await harness.startConsumer();
    await harness.stored();
    expect(await harness.rows('anchors')).toMatchObject([{ conversation_id: 'sent', turn: 2 }]);
    expect(await harness.rows('dead_letters')).toEqual([]);
  });
});
