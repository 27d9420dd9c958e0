import { z } from 'zod';
import { keepsSecrets } from './loopback.js';

const positive = z.coerce.number().int().positive();
const price = z.coerce.number().min(0).default(0);

/** The keys of the configuration that say which language model judges, and what it may cost. */
export const judgeKeys = {
  DRIFTLOOP_JUDGE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'OpenAI-compatible API whose model judges the turns that the classifier is unsure of ([judge](dsat-judge.md)), such as `https://api.openai.com/v1`. Without it there is no such judge.',
    ),
  DRIFTLOOP_JUDGE_MODEL: z.string().optional().describe('Name of the model there.'),
  DRIFTLOOP_JUDGE_API_KEY: z
    .string()
    .optional()
    .describe('Sent as a bearer token, where that API wants one; over `http` only on this machine.'),
  DRIFTLOOP_JUDGE_DAILY_TOKENS: positive
    .default(1_000_000)
    .describe('Tokens, read and written, that all processes on one database may use in a day (UTC).'),
  DRIFTLOOP_JUDGE_TIMEOUT_MS: positive
    .default(15_000)
    .describe(
      'Time that a batch of turns waits for the judge, tries included, milliseconds. What is not judged by then keeps the verdict of the classifier.',
    ),
  DRIFTLOOP_JUDGE_BATCH: positive.default(4).describe('Turns that one request asks about.'),
  DRIFTLOOP_JUDGE_CONCURRENCY: positive.default(4).describe('Requests of a process that are on their way at a time.'),
  DRIFTLOOP_JUDGE_INPUT_PRICE: price.describe('Price of a million tokens read, for the metrics; in any currency.'),
  DRIFTLOOP_JUDGE_OUTPUT_PRICE: price.describe('Price of a million tokens written.'),
};

type Keys = z.output<z.ZodObject<typeof judgeKeys>>;

/** An OpenAI-compatible API, and what asking it may take. */
export interface JudgeSettings {
  /** Without a slash at the end. */
  url: string;
  model: string;
  apiKey?: string;
  /** Over all processes on one database, in a day (UTC). */
  dailyTokens: number;
  /** Time for a batch of exchanges, tries included. */
  timeoutMs: number;
  /** Exchanges that one request asks about. */
  batch: number;
  /** Requests at a time. */
  concurrency: number;
  /** Of a million tokens. */
  prices: { input: number; output: number };
}

/** The API and its model are only of use together; a key does not travel unencrypted. */
export function checkJudge(keys: Keys, context: z.RefinementCtx): void {
  const { DRIFTLOOP_JUDGE_URL: url, DRIFTLOOP_JUDGE_MODEL: model, DRIFTLOOP_JUDGE_API_KEY: key } = keys;
  const refuse = (path: keyof Keys, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (url && !model) refuse('DRIFTLOOP_JUDGE_MODEL', 'is needed with DRIFTLOOP_JUDGE_URL');
  if (model && !url) refuse('DRIFTLOOP_JUDGE_URL', 'is needed with DRIFTLOOP_JUDGE_MODEL');
  if (url && key && !keepsSecrets(new URL(url))) {
    refuse('DRIFTLOOP_JUDGE_URL', 'must begin with https://, as a key goes there; http:// is for this machine only');
  }
}

export function judgeOf(keys: Keys): JudgeSettings | undefined {
  const { DRIFTLOOP_JUDGE_URL: url, DRIFTLOOP_JUDGE_MODEL: model } = keys;
  if (!url || !model) return undefined;
  return {
    url: url.replace(/\/+$/, ''),
    model,
    apiKey: keys.DRIFTLOOP_JUDGE_API_KEY,
    dailyTokens: keys.DRIFTLOOP_JUDGE_DAILY_TOKENS,
    timeoutMs: keys.DRIFTLOOP_JUDGE_TIMEOUT_MS,
    batch: keys.DRIFTLOOP_JUDGE_BATCH,
    concurrency: keys.DRIFTLOOP_JUDGE_CONCURRENCY,
    prices: { input: keys.DRIFTLOOP_JUDGE_INPUT_PRICE, output: keys.DRIFTLOOP_JUDGE_OUTPUT_PRICE },
  };
}
