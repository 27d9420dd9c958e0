import { Counter, Gauge, Histogram } from 'prom-client';
import type { JudgeOutcome } from '../dsat/verdict.js';

const REQUEST_OUTCOMES = ['ok', 'timeout', 'network', 'rate-limited', 'server-error', 'refused', 'broken'] as const;
/** How one request to the judge's API ended. */
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number];

const turns = new Counter({
  name: 'driftloop_judge_turns_total',
  help: 'Turns that the classifier was unsure of, by what the language model that judges them came to: asked, cached, or why not.',
  labelNames: ['outcome'],
});
const settled = new Counter({
  name: 'driftloop_judge_settled_turns_total',
  help: 'Turns that the classifier settled where a language model judges the uncertain ones: what their share is of.',
});
const requests = new Counter({
  name: 'driftloop_judge_requests_total',
  help: "Requests to the judge's API, tries included, by outcome.",
  labelNames: ['outcome'],
});
const tokens = new Counter({
  name: 'driftloop_judge_tokens_total',
  help: 'Tokens that the judge read (input) and wrote (output), as its API counts them.',
  labelNames: ['kind'],
});
const cost = new Counter({
  name: 'driftloop_judge_cost_total',
  help: 'What those tokens cost at the configured prices, in their currency.',
});
const duration = new Histogram({
  name: 'driftloop_judge_request_duration_seconds',
  help: "Time of a request to the judge's API.",
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40],
});
const budget = new Gauge({
  name: 'driftloop_judge_daily_tokens',
  help: 'Tokens that the judge may use in a day (UTC), over all processes; 0 where none is configured.',
});

export function countJudged(all: number, outcomes: readonly JudgeOutcome[]): void {
  settled.inc(all);
  for (const outcome of outcomes) turns.inc({ outcome });
}

export function countRequest(outcome: RequestOutcome, seconds: number): void {
  requests.inc({ outcome });
  duration.observe(seconds);
}

export function countTokens(input: number, output: number, prices: { input: number; output: number }): void {
  tokens.inc({ kind: 'input' }, input);
  tokens.inc({ kind: 'output' }, output);
  cost.inc((input * prices.input + output * prices.output) / 1e6);
}

export function setDailyTokens(count: number): void {
  budget.set(count);
}
