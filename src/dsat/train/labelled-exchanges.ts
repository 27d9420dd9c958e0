import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { CorpusConversation } from '../../chat-log/sharegpt-corpus.js';
import { DriftError } from '../../drift-error.js';
import type { LabelledTurn } from '../evaluation/labelled-turn.js';
import { exchangeAt } from '../exchange-at.js';
import { type Exchange, LABELS, RUBRICS } from '../verdict.js';

const labelSchema = z.object({
  conversation: z.string(),
  turn: z.number().int(),
  label: z.enum(LABELS),
  rubric: z.enum(RUBRICS).nullable(),
  confidence: z.enum(['high', 'low']),
  /**
   * How the turn came to be read. `random` was drawn at natural rates, and is what figures are from. `more-…` are the second
   * reader's: all of those that a first model did not call neutral with ease, and a share of those that it did.
   */
  stratum: z.enum(['random', 'enriched', 'positive-cue', 'uncertain', 'likely', 'more-random', 'more-uncertain']),
});

/** One line of `data/dsat-labels.jsonl`: no text, only where the text is. */
export type TurnLabel = z.output<typeof labelSchema>;

export interface LabelledExchange extends TurnLabel {
  exchange: Exchange;
}

/** sha256 of the ids of the conversations that nothing may be learnt from. */
export type KeptApart = ReadonlySet<string>;

export async function readKeptApart(file: string): Promise<KeptApart> {
  return new Set((await readFile(file, 'utf8')).split('\n').filter((line) => line !== ''));
}

export function isKeptApart(conversation: string, keptApart: KeptApart): boolean {
  return keptApart.has(createHash('sha256').update(conversation).digest('hex'));
}

export async function readLabels(file: string): Promise<TurnLabel[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => labelSchema.parse(JSON.parse(line)));
}

/**
 * The labelled turns with their texts, in the order of the labels.
 * @throws DriftError `record-invalid` where a label names a turn that is not there, or a conversation kept apart.
 */
export function withTexts(labels: TurnLabel[], corpus: CorpusConversation[], keptApart: KeptApart): LabelledExchange[] {
  const turnsOf = new Map(corpus.map(({ id, turns }) => [id, turns]));
  return labels.map((label) => {
    const { conversation, turn } = label;
    if (isKeptApart(conversation, keptApart))
      throw invalid(conversation, 'is kept apart for the acceptance measurement');
    const exchange = exchangeAt(turnsOf.get(conversation) ?? [], turn);
    if (!exchange) throw invalid(conversation, `has no user turn ${turn} after a reply`);
    return { ...label, exchange };
  });
}

/**
 * The labelled turns and those that were reviewed on a stream of one's own (`driftloop reviews export`). A review takes
 * the place of a label of the same turn; nothing is learnt from what is kept apart.
 */
export function withReviews(
  labelled: LabelledExchange[],
  reviewed: readonly LabelledTurn[],
  keptApart: KeptApart,
): LabelledExchange[] {
  const keyOf = ({ conversation, turn }: Pick<TurnLabel, 'conversation' | 'turn'>) => `${turn} ${conversation}`;
  const taken = new Set(reviewed.map(keyOf));
  const added = reviewed
    .filter(({ conversation }) => !isKeptApart(conversation, keptApart))
    .map(({ exchange, ...turn }): LabelledExchange => ({ ...labelSchema.parse(turn), exchange }));
  return [...labelled.filter((turn) => !taken.has(keyOf(turn))), ...added];
}

function invalid(conversation: string, problem: string): DriftError {
  const message = `The conversation ${conversation} ${problem}: take its label out of the training labels.`;
  return new DriftError('record-invalid', message, { facts: { conversation } });
}
