import { DriftError } from '../../drift-error.js';
import { askJson } from '../llm/ask-json.js';
import type { JudgeClient } from '../llm/judge-client.js';
import { mapConcurrently } from '../llm/map-concurrently.js';
import type { Exchange } from '../verdict.js';
import { dsatSummary, extractionQuestion, type ItemKind, satSummary } from './learning-prompts.js';
import type { RubricItem } from './rubric.js';

/** A label under its turn's texts. */
export interface LearningExample {
  kind: ItemKind;
  exchange: Exchange;
}

export interface LearntItems {
  items: RubricItem[];
  /** Examples that gave reasons, by kind; and those whose answers could not be read. */
  learntFrom: { dsat: number; sat: number; unreadable: number };
}

export interface LearnOptions {
  /** Most items of each kind. */
  items: number;
  onProgress: (done: number) => void;
}

/**
 * Learns a rubric from labelled examples (SPUR, arXiv 2403.12388): reasons of each, then summarised into items.
 * @throws DriftError `judge-unparseable` where no example of a kind gave a reason, and what the client throws
 */
export async function learnItems(
  client: JudgeClient,
  examples: readonly LearningExample[],
  { items, onProgress }: LearnOptions,
): Promise<LearntItems> {
  let done = 0;
  const extracted = await mapConcurrently(examples, client.settings.concurrency, async (example) => {
    const reasons = await reasonsOf(client, example);
    onProgress(++done);
    return { ...example, reasons };
  });
  const read = (kind: ItemKind) => extracted.filter((example) => example.kind === kind && example.reasons.length > 0);
  const reasons = (kind: ItemKind) => read(kind).flatMap((example) => example.reasons);
  requireReasons(reasons('dsat'), 'dsat');
  requireReasons(reasons('sat'), 'sat');
  const dsat = await askJson(client, dsatSummary(reasons('dsat'), items), deadlineOf(client));
  const sat = await askJson(client, satSummary(reasons('sat'), items), deadlineOf(client));
  return {
    items: [
      ...dsat.items.map((item, at): RubricItem => ({ id: `D${at + 1}`, kind: 'dsat', ...item })),
      ...sat.items.map((item, at): RubricItem => ({ id: `S${at + 1}`, kind: 'sat', ...item })),
    ],
    learntFrom: {
      dsat: read('dsat').length,
      sat: read('sat').length,
      unreadable: extracted.filter((example) => example.reasons.length === 0).length,
    },
  };
}

/** None where the model did not answer in the form asked for: one example more or less does not matter. */
async function reasonsOf(client: JudgeClient, { kind, exchange }: LearningExample): Promise<string[]> {
  try {
    return (await askJson(client, extractionQuestion(kind, exchange), deadlineOf(client))).reasons;
  } catch (error) {
    if (error instanceof DriftError && error.code === 'judge-unparseable') return [];
    throw error;
  }
}

/** One request has the time that a batch of turns has. */
const deadlineOf = ({ settings }: JudgeClient) => AbortSignal.timeout(settings.timeoutMs);

function requireReasons(reasons: readonly string[], kind: ItemKind): void {
  if (reasons.length > 0) return;
  const message = `The model gave no reason for any ${kind} example in the form asked for: take another model.`;
  throw new DriftError('judge-unparseable', message);
}
