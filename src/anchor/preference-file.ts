import { open } from 'node:fs/promises';
import { z } from 'zod';
import { contentSchema } from '../chat-log/content.js';
import { parseAs } from '../chat-log/formats/format.js';
import { parseJson } from '../chat-log/record-value.js';
import { RecordRejection } from '../chat-log/rejection.js';
import { DriftError } from '../drift-error.js';

const messageSchema = z.object({ role: z.enum(['system', 'user', 'assistant', 'tool']), content: contentSchema });
const textOrMessages = z.union([z.string(), z.array(messageSchema)]);
export type PreferenceMessage = z.output<typeof messageSchema>;

const recordSchema = z.looseObject({
  prompt: textOrMessages.nullish(),
  chosen: textOrMessages,
  rejected: textOrMessages,
});

/** What a line of preference data says of the reply that was rejected. */
export interface Preference {
  line: number;
  /** Ends in the user's request. */
  prompt: PreferenceMessage[];
  rejected: PreferenceMessage['content'];
  /** Whether chosen and rejected are the same. */
  tied: boolean;
}

/**
 * Reads preference JSONL: UltraFeedback's binarized form (`prompt` a text, `chosen` and `rejected` whole conversations) and
 * TRL's, standard (`prompt`, `chosen`, `rejected` texts) or conversational (`prompt` a list of messages, the replies one
 * message each; or without `prompt`, as whole conversations). Empty lines are passed over.
 * @throws DriftError `usage` where the file cannot be read, `record-invalid` naming file and line
 */
export async function* readPreferences(file: string): AsyncGenerator<Preference> {
  const handle = await open(file).catch((cause: Error) => {
    throw new DriftError('usage', `${file} cannot be read: ${cause.message}.`, { cause });
  });
  let line = 0;
  for await (const text of handle.readLines()) {
    line++;
    if (text.trim() !== '') yield { line, ...atLine(file, line, () => preferenceOf(text)) };
  }
}

/** Runs `use` so that what is wrong is said with file and line. @throws DriftError `record-invalid` */
export function atLine<T>(file: string, line: number, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    if (!(cause instanceof RecordRejection) && !(cause instanceof SyntaxError)) throw cause;
    const problem = cause instanceof RecordRejection ? cause.detail : 'not JSON';
    throw new DriftError('record-invalid', `${file}:${line}: ${problem}`, { cause, facts: { file, line } });
  }
}

function preferenceOf(text: string): Omit<Preference, 'line'> {
  const { prompt, chosen, rejected } = parseAs(recordSchema, parseJson(text, 'line').value);
  const asked = typeof prompt === 'string' ? [{ role: 'user' as const, content: prompt }] : prompt;
  const refused = split(rejected, asked, 'rejected');
  const preferred = split(chosen, asked, 'chosen');
  if (refused.prompt.at(-1)?.role !== 'user') {
    throw new RecordRejection('invalid', 'prompt: it does not end in a request of the user');
  }
  if (!same(refused.prompt, preferred.prompt)) {
    throw new RecordRejection('invalid', 'chosen and rejected answer different conversations');
  }
  return { prompt: refused.prompt, rejected: refused.reply, tied: same(refused.reply, preferred.reply) };
}

/** The conversation and its last reply: a whole conversation has both, a text or a single message only the reply. */
function split(
  side: z.output<typeof textOrMessages>,
  asked: PreferenceMessage[] | null | undefined,
  name: string,
): { prompt: PreferenceMessage[]; reply: PreferenceMessage['content'] } {
  if (typeof side === 'string') {
    if (!asked) throw new RecordRejection('invalid', `prompt: it is needed where ${name} is a text`);
    return { prompt: asked, reply: side };
  }
  const last = side.at(-1);
  if (last?.role !== 'assistant') {
    throw new RecordRejection('invalid', `${name}: it does not end in a message of the assistant`);
  }
  return { prompt: side.length > 1 ? side.slice(0, -1) : (asked ?? []), reply: last.content };
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
