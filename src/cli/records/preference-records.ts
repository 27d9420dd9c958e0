import { z } from 'zod';
import type { TokenPair } from '../../training/engine/training-engine.js';
import { atLine, readJsonLines } from './json-lines.js';
import { idsSchema, messagesSchema, type RecordEncoder } from './tokens.js';

const text = z.union([z.string().min(1), messagesSchema]);
/** TRL's conversational form has a reply as a list of one assistant message. */
const reply = z.union([
  z.string(),
  z.tuple([z.object({ role: z.literal('assistant'), content: z.string() })]).transform(([message]) => message.content),
]);

const schema = z
  .looseObject({
    prompt_ids: idsSchema.optional(),
    chosen_ids: idsSchema.optional(),
    rejected_ids: idsSchema.optional(),
    prompt: text.optional(),
    chosen: reply.optional(),
    rejected: reply.optional(),
  })
  .refine(({ prompt_ids, prompt }) => prompt_ids ?? prompt, 'expected prompt_ids or prompt')
  .refine(({ chosen_ids, chosen }) => chosen_ids ?? chosen !== undefined, 'expected chosen_ids or chosen')
  .refine(({ rejected_ids, rejected }) => rejected_ids ?? rejected !== undefined, 'expected rejected_ids or rejected');

/**
 * Reads TRL's preference JSONL, plain or conversational; `prompt_ids`, `chosen_ids` and `rejected_ids` win.
 * @throws DriftError `record-invalid` naming file and line
 */
export function readPreferenceRecords(file: string, encoder: RecordEncoder): TokenPair[] {
  return readJsonLines(file, schema).map(({ number, record }) =>
    atLine(file, number, () => {
      const promptIds = record.prompt_ids ?? encoder.prompt(record.prompt ?? '');
      const chosenIds = record.chosen_ids ?? encoder.completion(record.chosen ?? '');
      const rejectedIds = record.rejected_ids ?? encoder.completion(record.rejected ?? '');
      encoder.check(promptIds, chosenIds);
      encoder.check(promptIds, rejectedIds);
      return { promptIds, chosenIds, rejectedIds };
    }),
  );
}
