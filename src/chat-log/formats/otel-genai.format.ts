import { z } from 'zod';
import type { ContentPart } from '../content.js';
import { RecordRejection } from '../rejection.js';
import { makeTurn, type TurnInput } from '../turn.js';
import { conversationIdSchema } from '../turn-event.js';
import { conversationIdOf, type Format, parseAs, type RecordOrigin } from './format.js';
import { ROLES } from './messages.js';
import { otelMessageSchema, readInstructions, readMessages } from './otel-messages.js';
import { type OtlpEvent, otlpLogsSchema, readOtlpLogs } from './otlp.js';

const messages = (text: string) =>
  z
    .union([z.array(otelMessageSchema), z.string()])
    .nullish()
    .describe(text);

/** Some instrumentations send the number that it is. */
const idSchema = z.union([z.string(), z.number()]);

/** Attributes of an inference event; the others are ignored. Texts hold JSON. */
const attributesSchema = z.looseObject({
  'gen_ai.system_instructions': z.unknown().optional().describe('Parts; they become turn 0.'),
  'gen_ai.input.messages': messages('The conversation so far.'),
  'gen_ai.output.messages': messages('One message for each choice.'),
  'gen_ai.prompt': messages('What `gen_ai.input.messages` was called before v1.37.'),
  'gen_ai.completion': messages('What `gen_ai.output.messages` was called before v1.37.'),
  'gen_ai.conversation.id': z.union([conversationIdSchema, z.number()]).nullish(),
  'gen_ai.request.model': z.string().nullish(),
  'gen_ai.response.model': z.string().nullish(),
  'user.id': idSchema.nullish(),
  'enduser.id': idSchema.nullish().describe('What `user.id` was called before.'),
});
type Attributes = z.output<typeof attributesSchema>;

const INPUT = ['gen_ai.input.messages', 'gen_ai.prompt'] as const;
const OUTPUT = ['gen_ai.output.messages', 'gen_ai.completion'] as const;

const recordSchema = z.union([
  attributesSchema.describe('The attributes of one event.'),
  z.looseObject({ attributes: attributesSchema }).describe('One event.'),
  otlpLogsSchema.describe("Logs in OTLP's JSON encoding."),
]);

/**
 * OpenTelemetry's GenAI inference events (`gen_ai.client.inference.operation.details`): one event, only its attributes, or
 * logs in OTLP's JSON encoding, of which those that have no messages are passed over.
 */
export const otelGenAiFormat: Format = {
  name: 'gen_ai.client.inference.operation.details',
  contentType: 'application/vnd.driftloop.otel.genai+json',
  summary: 'OpenTelemetry GenAI inference events: the conversation so far and the reply to it.',
  schema: recordSchema,
  read(value, origin) {
    const events = eventsOf(value).filter(({ attributes }) => [...INPUT, ...OUTPUT].some((key) => attributes[key]));
    const turns = events.flatMap((event, item) => turnsOf(event, origin, item)).map((turn) => makeTurn(turn));
    if (turns.length === 0) throw new RecordRejection('empty', `${INPUT[0]}: no event has messages`);
    return { turns, feedback: [] };
  },
};

function eventsOf(value: unknown): OtlpEvent[] {
  const { resourceLogs, attributes } = Object(value) as { resourceLogs?: unknown; attributes?: object };
  if (resourceLogs !== undefined) return readOtlpLogs(value);
  return [{ attributes: (attributes ?? Object(value)) as Record<string, unknown> }];
}

function turnsOf({ attributes, time }: OtlpEvent, origin: RecordOrigin, item: number): TurnInput[] {
  const event = parseAs(attributesSchema, attributes);
  const userId = textOf(event['user.id'] ?? event['enduser.id']);
  const common = {
    conversationId: conversationIdOf(textOf(event['gen_ai.conversation.id']), { userId }, origin, item),
    occurredAt: time ?? origin.timestamp,
    userId,
  };
  const model = event['gen_ai.response.model'] ?? event['gen_ai.request.model'];
  const said = [...instructions(event), ...read(event, INPUT)];
  const replies = read(event, OUTPUT).map((reply) => ({ ...reply, model }));
  // Of several choices the next event shows which one the user was given.
  const all = replies.length === 1 ? [...said, ...replies] : said;
  return all.map(({ role, content, ...reply }, turn) => ({
    ...common,
    turn,
    role: ROLES[role],
    content: content ?? '',
    ...reply,
  }));
}

const textOf = (id: string | number | null | undefined) => (id == null ? id : String(id));

function instructions(event: Attributes): { role: 'system'; content: ContentPart[] }[] {
  const content = readInstructions(event['gen_ai.system_instructions'], 'gen_ai.system_instructions');
  return content.length > 0 ? [{ role: 'system', content }] : [];
}

function read(event: Attributes, keys: typeof INPUT | typeof OUTPUT) {
  const key = keys.find((name) => event[name] != null) ?? keys[0];
  return readMessages(event[key], key);
}
