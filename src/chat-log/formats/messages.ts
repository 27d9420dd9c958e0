import { z } from 'zod';
import { type ContentPart, contentPartSchema, contentSchema } from '../content.js';
import type { Role } from '../turn.js';

export const ROLES = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  function: 'tool',
} as const satisfies Record<string, Role>;

export const messageRoleSchema = z.enum(Object.keys(ROLES) as (keyof typeof ROLES)[]);

const callSchema = z.looseObject({ name: z.string() });

/** A message of OpenAI's chat completions API, with what older versions of it called otherwise. */
export const messageSchema = z.object({
  role: messageRoleSchema,
  content: contentSchema.nullish(),
  refusal: z.string().nullish(),
  tool_calls: z.array(contentPartSchema).nullish(),
  function_call: callSchema.nullish(),
  tool_call_id: z.string().nullish(),
  audio: z.looseObject({}).nullish(),
});
export type Message = z.output<typeof messageSchema>;

/** Role and content of the turn that a message is; calls, results and refusals become parts of its content. */
export function messageContent(message: Message): { role: Role; content: string | ContentPart[] } {
  return { role: ROLES[message.role], content: contentOf(message) };
}

function contentOf(message: Message): string | ContentPart[] {
  const { content, refusal, tool_calls: calls, function_call: call, tool_call_id: answers, audio } = message;
  if (answers) return [{ type: 'tool_result', tool_call_id: answers, content: content ?? '' }];
  const extra: ContentPart[] = [
    ...(audio ? [{ type: 'output_audio', audio }] : []),
    ...(refusal ? [{ type: 'refusal', refusal }] : []),
    ...(calls ?? []),
    ...(call ? [{ type: 'function', function: call }] : []),
  ];
  if (extra.length === 0) return content ?? '';
  return [...(typeof content === 'string' ? textPart(content) : (content ?? [])), ...extra];
}

const textPart = (text: string): ContentPart[] => (text === '' ? [] : [{ type: 'text', text }]);
