import { z } from 'zod';
import { cloudEventSchema, STRUCTURED_JSON } from '../../src/chat-log/cloud-event.js';
import type { Format } from '../../src/chat-log/formats/format.js';
import { FORMATS } from '../../src/chat-log/formats/registry.js';
import { REJECTION_REASONS } from '../../src/chat-log/rejection.js';
import { conversationIdSchema } from '../../src/chat-log/turn-event.js';
import { loadConfig } from '../../src/config/config.js';
import { policyPublishedSchema } from '../../src/policy/policy-event.js';
import { jsonSchema } from './json-schemas.js';

const BINDING = '0.5.0';

/** `docs/asyncapi.json`: the topics, and what is in their records, from the schemas that check them. */
export function asyncApiDoc(): string {
  const { topics } = loadConfig({});
  const document = {
    asyncapi: '3.1.0',
    info: {
      title: 'Driftloop',
      version: '1',
      description: 'What Driftloop reads from Kafka and writes to it. Names of topics are the defaults.',
    },
    defaultContentType: 'application/json',
    channels: {
      turns: channel(topics.turns, 'Chat turns, in one of several forms.', [...FORMATS.map(idOf), 'cloudEvent']),
      deadLetters: channel(topics.deadLetters, 'Records that were not taken.', ['deadLetter']),
      policyVersions: channel(topics.policyVersions, 'Published policy versions; compacted.', ['policyPublished']),
    },
    operations: {
      readTurns: operation('receive', 'turns', 'Stores turns, finds dissatisfaction.'),
      putAside: operation('send', 'deadLetters', 'Puts aside what cannot be used.'),
      announce: operation('send', 'policyVersions', 'Announces a policy version.'),
    },
    components: { messages: messages() },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function channel(address: string, description: string, names: string[]) {
  const refs = names.map((name) => [name, { $ref: `#/components/messages/${name}` }]);
  return { address, description, messages: Object.fromEntries(refs), bindings: { kafka: { bindingVersion: BINDING } } };
}

function operation(action: 'send' | 'receive', name: string, summary: string) {
  return { action, summary, channel: { $ref: `#/channels/${name}` } };
}

function messages() {
  return {
    ...Object.fromEntries(FORMATS.map((format) => [idOf(format), formMessage(format)])),
    cloudEvent: {
      name: 'cloudEvent',
      summary: 'Any of the forms in a CloudEvent 1.0, structured mode. Binary mode: the form with `ce_` headers.',
      contentType: STRUCTURED_JSON,
      headers: headersOf({ 'content-type': z.literal(STRUCTURED_JSON) }),
      payload: payload(cloudEventSchema),
      bindings: keyed('The conversation.'),
    },
    deadLetter: {
      name: 'deadLetter',
      summary: "A record's key, own headers and the first 64 KiB of its value, with why it was not taken.",
      headers: headersOf({
        'driftloop-reason': z.enum(REJECTION_REASONS),
        'driftloop-detail': z.string(),
        'driftloop-topic': z.string(),
        'driftloop-partition': number,
        'driftloop-offset': number,
        'driftloop-item': number.describe('Which turn of the record.'),
        'driftloop-sha256': z.string().describe('Of the whole value.'),
        'driftloop-bytes': number.describe('Of the whole value.'),
      }),
      payload: {},
    },
    policyPublished: {
      name: 'driftloop.policy-published.v1',
      summary: 'A policy version: where its files are, and their sha256.',
      payload: payload(policyPublishedSchema),
      bindings: keyed('The version.'),
    },
  };
}

/** Header values are texts. */
const number = z.string().regex(/^\d+$/);

function formMessage({ name, contentType, summary, schema }: Format) {
  const headers = {
    'content-type': z.literal(contentType).optional(),
    ce_type: z.literal(name).optional().describe('Names the form, too: CloudEvents 1.0, binary mode.'),
    ce_subject: conversationIdSchema.optional().describe('The conversation, for forms that name none themselves.'),
    ce_time: z.iso.datetime({ offset: true }).optional(),
  };
  const bindings = keyed('The conversation.');
  return { name, title: name, summary, contentType, headers: headersOf(headers), payload: payload(schema), bindings };
}

function headersOf(shape: Record<string, z.ZodType>) {
  return payload(z.object(shape));
}

function keyed(description: string) {
  return { kafka: { key: { type: 'string', description }, bindingVersion: BINDING } };
}

function payload(schema: z.ZodType) {
  const { $schema: _, ...json } = jsonSchema(schema, 'draft-7');
  return json;
}

/** `driftloop.turn.v1` as a component's key, which may have no dots in all tools. */
function idOf({ name }: Pick<Format, 'name'>): string {
  return name.replace(/[._-]+(\w)/g, (_, letter: string) => letter.toUpperCase());
}
