import { z } from 'zod';
import { DriftError } from '../../drift-error.js';
import type { ChatMessage } from './chat-request.js';
import type { JudgeClient } from './judge-client.js';

export interface Question<T> {
  /** Of the answer's form, for the API. */
  name: string;
  messages: ChatMessage[];
  answer: z.ZodType<T>;
  /** Most tokens of the answer. */
  maxTokens: number;
}

/**
 * An answer in the form that is asked for. One that is not gets one chance to be put right.
 * @throws DriftError `judge-unparseable`, and what the client throws
 */
export async function askJson<T>(client: JudgeClient, question: Question<T>, deadline: AbortSignal): Promise<T> {
  const format = { name: question.name, schema: z.toJSONSchema(question.answer) };
  const ask = (messages: ChatMessage[]) =>
    client.complete({ messages, format, maxTokens: question.maxTokens }, deadline);
  const said = await ask(question.messages);
  const first = parse(question.answer, said);
  if (first.success) return first.data;
  const second = parse(question.answer, await ask([...question.messages, ...repair(said, first.problem)]));
  if (second.success) return second.data;
  throw new DriftError('judge-unparseable', `The judge did not answer in the form asked for: ${second.problem}`);
}

type Parsed<T> = { success: true; data: T } | { success: false; problem: string };

/** Around the object there may be a fence, or what the model thought. */
function parse<T>(schema: z.ZodType<T>, said: string): Parsed<T> {
  let value: unknown;
  try {
    value = JSON.parse(said.slice(said.indexOf('{'), said.lastIndexOf('}') + 1));
  } catch {
    return { success: false, problem: 'it is no JSON object' };
  }
  const result = schema.safeParse(value);
  return result.success ? result : { success: false, problem: z.prettifyError(result.error).slice(0, 500) };
}

const MOST_REPEATED = 2_000;

function repair(said: string, problem: string): ChatMessage[] {
  const content = `That is not the form asked for: ${problem}. Answer again, with the JSON object only.`;
  return [
    { role: 'assistant', content: said.slice(0, MOST_REPEATED) },
    { role: 'user', content },
  ];
}
