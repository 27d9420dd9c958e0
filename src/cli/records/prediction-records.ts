import { z } from 'zod';
import { DriftError } from '../../drift-error.js';
import type { EvaluatedTurn, LabelledTurn, Prediction } from '../../dsat/evaluation/labelled-turn.js';
import { LABELS, RUBRICS } from '../../dsat/verdict.js';
import { readJsonLines } from './json-lines.js';

const probability = z.number().min(0).max(1);

const schema = z.object({
  conversation: z.string().min(1),
  turn: z.int().min(1),
  label: z.enum(LABELS),
  rubric: z.enum(RUBRICS).nullable().default(null),
  probabilities: z.object({ dsat: probability, sat: probability, neutral: probability }),
});

/**
 * What a classifier said of the turns, in their order; the file may hold others too.
 * @throws DriftError `record-invalid` naming file and line, or a turn that the file does not hold
 */
export function readPredictions(file: string, turns: LabelledTurn[]): Prediction[] {
  const keyOf = ({ conversation, turn }: { conversation: string; turn: number }) =>
    JSON.stringify([conversation, turn]);
  const predictions = new Map(readJsonLines(file, schema).map(({ record }) => [keyOf(record), record]));
  return turns.map((turn) => {
    const found = predictions.get(keyOf(turn));
    if (found) return found;
    throw new DriftError('record-invalid', `${file} says nothing of turn ${turn.turn} of ${turn.conversation}.`);
  });
}

/** The same file, of turns that were classified here: no text is in it. */
export function predictionLines(turns: EvaluatedTurn[]): string {
  return turns
    .map(({ conversation, turn, decided, named, probabilities }) =>
      JSON.stringify({ conversation, turn, label: decided, rubric: named, probabilities }),
    )
    .map((line) => `${line}\n`)
    .join('');
}
