import { z } from 'zod';
import type { Completion } from '../../training/engine/training-engine.js';
import { atLine, readJsonLines } from './json-lines.js';
import { idsSchema, messagesSchema, type RecordEncoder } from './tokens.js';

const schema = z
  .looseObject({
    prompt_ids: idsSchema.optional(),
    completion_ids: idsSchema.optional(),
    messages: messagesSchema.optional(),
    completion: z.string().optional(),
  })
  .refine(({ prompt_ids, messages }) => prompt_ids ?? messages, 'expected prompt_ids or messages')
  .refine(
    ({ completion_ids, completion }) => completion_ids ?? completion !== undefined,
    'expected completion_ids or completion',
  );

/** A completion to score, and the line it came from. */
export interface ScoreRecord extends Completion {
  raw: Record<string, unknown>;
}

/**
 * Reads `prompt_ids` and `completion_ids`, which win, or `messages` and `completion`.
 * @throws DriftError `record-invalid` naming file and line
 */
export function readScoreRecords(file: string, encoder: RecordEncoder): ScoreRecord[] {
  return readJsonLines(file, schema).map(({ number, record, raw }) =>
    atLine(file, number, () => {
      const promptIds = record.prompt_ids ?? encoder.prompt(record.messages ?? []);
      const completionIds = record.completion_ids ?? encoder.completion(record.completion ?? '');
      encoder.check(promptIds, completionIds);
      return { promptIds, completionIds, raw };
    }),
  );
}
