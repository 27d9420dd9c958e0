import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { readShareGptCorpus } from '../../chat-log/sharegpt-corpus.js';
import { DriftError } from '../../drift-error.js';
import { exchangeAt } from '../exchange-at.js';
import { type Exchange, LABELS, RUBRICS } from '../verdict.js';

const labelSchema = z.object({
  conversation: z.string(),
  turn: z.number().int(),
  label: z.enum(LABELS),
  rubric: z.enum(RUBRICS).nullable(),
  confidence: z.enum(['high', 'low']),
  stratum: z.string(),
});

/** One line of `data/dsat-labels.jsonl`: no text, only where the text is. */
export type TurnLabel = z.output<typeof labelSchema>;

export interface LabelledExchange extends TurnLabel {
  exchange: Exchange;
}

export interface LabelSources {
  /** JSONL of turn labels. */
  labels: string;
  /** The ShareGPT file. */
  corpus: string;
  /** sha256 of the ids of conversations that are kept apart, one a line. */
  keptApart: string;
}

/**
 * The labelled turns with their texts, in the order of the label file.
 * @throws DriftError `record-invalid` where a label names a turn that is not there, or a conversation kept apart.
 */
export async function readLabelledExchanges(sources: LabelSources): Promise<LabelledExchange[]> {
  const labels = await readLabels(sources.labels);
  await refuseKeptApart(labels, sources.keptApart);
  const corpus = new Map((await readShareGptCorpus(sources.corpus)).map(({ id, turns }) => [id, turns]));
  return labels.map((label) => {
    const exchange = exchangeAt(corpus.get(label.conversation) ?? [], label.turn);
    if (!exchange)
      throw invalid(`${label.conversation}, turn ${label.turn}, is no user turn after a reply in ${sources.corpus}`);
    return { ...label, exchange };
  });
}

async function readLabels(file: string): Promise<TurnLabel[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => labelSchema.parse(JSON.parse(line)));
}

async function refuseKeptApart(labels: TurnLabel[], file: string): Promise<void> {
  const keptApart = new Set((await readFile(file, 'utf8')).split('\n'));
  const found = labels.find(({ conversation }) => keptApart.has(sha256(conversation)));
  if (found)
    throw invalid(`${found.conversation} is kept apart for the acceptance measurement (${file}): take its labels out`);
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

function invalid(problem: string): DriftError {
  return new DriftError('record-invalid', `The turn labels cannot be used for training: ${problem}.`);
}
