import { z } from 'zod';
import type { JudgeSettings } from '../../config/judge-keys.js';
import { DriftError } from '../../drift-error.js';
import type { RequestOutcome } from '../../metrics/judge-metrics.js';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  messages: ChatMessage[];
  /** JSON Schema that the answer has to follow. */
  format: { name: string; schema: object };
  /** Most tokens of the answer. */
  maxTokens: number;
}

export interface Completion {
  content: string;
  /** As the API counts them; null where it does not. */
  usage: { input: number; output: number } | null;
}

/** The part of OpenAI's answer that is used. */
const completionSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
});

/**
 * One `POST /chat/completions`.
 * @throws DriftError `judge-unavailable` with `outcome` and perhaps `retryAfterMs` among its facts
 */
export async function requestCompletion(
  { url, model, apiKey }: JudgeSettings,
  request: ChatRequest,
  signal: AbortSignal,
): Promise<Completion> {
  const response = await send(`${url}/chat/completions`, apiKey, bodyOf(model, request), signal);
  if (!response.ok) throw refusal(response, await read(response).catch(() => ''));
  const answer = completionSchema.safeParse(parseJson(await read(response)));
  if (!answer.success) throw unavailable('broken', true, 'answered something else than a chat completion');
  const { choices, usage } = answer.data;
  return {
    content: choices[0]!.message.content,
    usage: usage ? { input: usage.prompt_tokens, output: usage.completion_tokens } : null,
  };
}

export function bodyOf(model: string, { messages, format, maxTokens }: ChatRequest): string {
  const response_format = { type: 'json_schema', json_schema: { ...format, strict: true } };
  return JSON.stringify({ model, messages, temperature: 0, max_tokens: maxTokens, response_format });
}

async function send(url: string, apiKey: string | undefined, body: string, signal: AbortSignal): Promise<Response> {
  const headers = new Headers({ 'content-type': 'application/json' });
  if (apiKey) headers.set('authorization', `Bearer ${apiKey}`);
  try {
    return await fetch(url, { method: 'POST', redirect: 'error', headers, body, signal });
  } catch (cause) {
    throw broken(cause);
  }
}

async function read(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    throw broken(cause);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The request or its answer did not get through: `fetch` says so by a TypeError, a signal by its reason. */
function broken(cause: unknown): DriftError {
  const { name, cause: reason } = cause as Error & { cause?: { code?: string } };
  if (name === 'TimeoutError' || name === 'AbortError') return unavailable('timeout', true, 'did not answer in time');
  return unavailable('network', true, `could not be reached${reason?.code ? ` (${reason.code})` : ''}`);
}

const PASSING = [408, 409, 425, 429];

/** Of the body only type and code are said: its message may quote what was sent. */
function refusal({ status, headers }: Response, body: string): DriftError {
  const { type, code } = Object(Object(parseJson(body)).error) as { type?: unknown; code?: unknown };
  const said = [type, code].filter((word) => typeof word === 'string').join(', ');
  const outcome = status === 429 ? 'rate-limited' : status >= 500 ? 'server-error' : 'refused';
  const retriable = PASSING.includes(status) || status >= 500;
  const what = `answered ${status}${said ? ` (${said.slice(0, 100)})` : ''}`;
  return unavailable(outcome, retriable, what, { status, retryAfterMs: retryAfterMs(headers.get('retry-after')) });
}

/** Seconds or a date, RFC 9110 section 10.2.3. */
function retryAfterMs(value: string | null): number {
  if (value === null) return 0;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

export function unavailable(
  outcome: RequestOutcome,
  retriable: boolean,
  what: string,
  facts: Record<string, unknown> = {},
): DriftError {
  return new DriftError('judge-unavailable', `The judge ${what}.`, { retriable, facts: { outcome, ...facts } });
}
