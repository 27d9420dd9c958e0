import { z } from 'zod';
import { type ContentPart, contentPartSchema } from '../content.js';
import { parseJson } from '../record-value.js';
import { RecordRejection } from '../rejection.js';
import { parseAs } from './format.js';
import { type Message, messageContent, messageRoleSchema, messageSchema } from './messages.js';

/**
 * A message of OpenTelemetry's GenAI conventions, with parts (since v1.37), or as OpenAI has it (before).
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
 */
export const otelMessageSchema = messageSchema.extend({
  role: z.enum([...messageRoleSchema.options, 'model']),
  parts: z.array(contentPartSchema).nullish(),
});

type OtelMessage = z.output<typeof otelMessageSchema>;

const messagesSchema = z.array(otelMessageSchema);

/** A list of messages, structured or as the JSON text of one. @throws RecordRejection `invalid` */
export function readMessages(value: unknown, key: string): Pick<Message, 'role' | 'content'>[] {
  const list = parseAs(z.object({ [key]: messagesSchema.nullish() }), { [key]: structured(value, key) })[key];
  return (list ?? []).map(plainMessage);
}

const instructionsSchema = z.union([
  z.array(contentPartSchema),
  // as v1.37's JSON schema had it
  z.object({ message: contentPartSchema }).transform(({ message }) => [message]),
]);

/** System instructions: parts, structured or as JSON text. @throws RecordRejection `invalid` */
export function readInstructions(value: unknown, key: string): ContentPart[] {
  const given = { [key]: structured(value, key) };
  return (parseAs(z.object({ [key]: instructionsSchema.nullish() }), given)[key] ?? []).flatMap(plainPart);
}

function structured(value: unknown, key: string): unknown {
  if (typeof value !== 'string') return value;
  try {
    return parseJson(value, key).value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RecordRejection('invalid', `${key}: it is a text that is not JSON`);
  }
}

function plainMessage({ role: given, parts, ...message }: OtelMessage): Pick<Message, 'role' | 'content'> {
  const role = given === 'model' ? 'assistant' : given;
  if (parts) return { role, content: parts.flatMap(plainPart) };
  return { role, content: messageContent({ ...message, role }).content };
}

/**
 * A part as OpenAI has it, where it has one; other parts stay as they are. Reasoning is left out: the user has not seen
 * it, and the next request may or may not repeat it.
 */
function plainPart(part: ContentPart): ContentPart[] {
  const { type, content, id } = part;
  if (type === 'reasoning') return [];
  if (type === 'text' && typeof content === 'string') return [{ type, text: content }];
  if (type !== 'tool_call_response') return [part];
  const response = part.response ?? part.result ?? '';
  const text = typeof response === 'string' ? response : JSON.stringify(response);
  return [{ type: 'tool_result', tool_call_id: id, content: text }];
}
