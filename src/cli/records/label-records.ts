import { z } from 'zod';
import { MESSAGE_ROLES } from '../../anchor/anchor.js';
import { DriftError } from '../../drift-error.js';
import type { LabelledTurn } from '../../dsat/evaluation/labelled-turn.js';
import { exchangeAt } from '../../dsat/exchange-at.js';
import { LABELS, RUBRICS } from '../../dsat/verdict.js';
import { atLine, readJsonLines } from './json-lines.js';

const schema = z
  .object({
    conversation: z.string().min(1),
    turn: z.int().min(1),
    label: z.enum(LABELS),
    rubric: z.enum(RUBRICS).nullable().default(null),
    confidence: z.enum(['high', 'low']).nullable().default(null),
    stratum: z.string().nullable().default(null),
    language: z.string().min(1).nullable().default(null),
    metadata: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
      .nullish()
      .transform((metadata) => metadata ?? {}),
    messages: z.array(z.object({ role: z.enum(MESSAGE_ROLES), content: z.string() })),
  })
  .refine(({ label, rubric }) => rubric === null || label === 'dsat', {
    path: ['rubric'],
    message: 'only a dsat turn has one',
  });

/**
 * Reads labelled turns with their messages: the user turn before (where there is one), the reply, the judged turn.
 * @throws DriftError `record-invalid` naming file and line, also where a turn is labelled twice
 */
export function readLabelRecords(file: string): LabelledTurn[] {
  const lines = new Map<string, number>();
  return readJsonLines(file, schema).map(({ number, record: { messages, ...turn } }) =>
    atLine(file, number, () => {
      const key = JSON.stringify([turn.conversation, turn.turn]);
      if (lines.has(key))
        throw invalid(`turn ${turn.turn} of ${turn.conversation} has its label in line ${lines.get(key)}`);
      lines.set(key, number);
      const exchange = exchangeAt(messages, messages.length - 1);
      if (!exchange)
        throw invalid('messages: expected to end in a reply of the assistant and the turn of the user after it');
      return { ...turn, exchange };
    }),
  );
}

const invalid = (message: string) => new DriftError('record-invalid', message);
