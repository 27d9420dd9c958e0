import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Calibration, Decision } from '../stage-model.js';
import { LABELS, RUBRICS } from '../verdict.js';

/** One sentence. */
export const rubricText = z.string().min(3).max(300);

/** Something that a user's next message may show. */
export const rubricItemSchema = z.discriminatedUnion('kind', [
  z.strictObject({ id: z.string(), kind: z.literal('dsat'), text: rubricText, rubric: z.enum(RUBRICS) }),
  z.strictObject({ id: z.string(), kind: z.literal('sat'), text: rubricText }),
]);
export type RubricItem = z.output<typeof rubricItemSchema>;

/** What a language model judges by (SPUR, arXiv 2403.12388), and how its scores become probabilities. */
export interface JudgeRubric {
  version: string;
  items: RubricItem[];
  calibration: Calibration;
  decision: Decision;
}

/** Scores of one exchange: impacts of the items that it shows, in tenths, summed; in the order of `LABELS`. */
export type ItemScores = [dsat: number, sat: number, neutral: 0];

/** An item that the exchange shows, and how much it says of the user's satisfaction, 1 to 10. */
export const foundItemSchema = z.strictObject({ item: z.string(), impact: z.int().min(1).max(10) });
export type FoundItem = z.output<typeof foundItemSchema>;

/** An item counts once, by its greatest impact. */
export function scoresOf(found: readonly FoundItem[], items: readonly RubricItem[]): ItemScores {
  const sum = (kind: RubricItem['kind']) =>
    items
      .filter((item) => item.kind === kind)
      .reduce((total, { id }) => total + Math.max(0, ...impactsOf(found, id)) / 10, 0);
  return [sum('dsat'), sum('sat'), 0];
}

export const impactsOf = (found: readonly FoundItem[], id: string): number[] =>
  found.filter(({ item }) => item === id).map(({ impact }) => impact);

/** Names items and what their scores mean; others have another name. */
export function rubricVersion(rubric: Omit<JudgeRubric, 'version'>): string {
  return `rubric-${sha256(JSON.stringify(rubric)).slice(0, 12)}`;
}

export const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

/** Without labels to fit it on: one item of impact 5 makes dsat as probable as neutral. */
export const UNFITTED: Pick<JudgeRubric, 'calibration' | 'decision'> = {
  calibration: { scale: 4, shift: LABELS.map((label) => ({ dsat: -2, sat: -2.5, neutral: 0 })[label]) },
  decision: { dsat: 0.5, sat: 0.5 },
};

const DEFAULT_ITEMS: RubricItem[] = [
  {
    id: 'D1',
    kind: 'dsat',
    rubric: 'not-working',
    text: 'The user reports that what the reply gave does not work, or quotes an error that it led to.',
  },
  {
    id: 'D2',
    kind: 'dsat',
    rubric: 'factual-error',
    text: 'The user says, or shows, that the reply is wrong or made up.',
  },
  {
    id: 'D3',
    kind: 'dsat',
    rubric: 'revision',
    text: 'The user asks for the same thing to be done again or differently.',
  },
  {
    id: 'D4',
    kind: 'dsat',
    rubric: 'ignored-instruction',
    text: 'The user repeats an instruction that the reply did not follow.',
  },
  {
    id: 'D5',
    kind: 'dsat',
    rubric: 'detail',
    text: 'The user misses depth, length or examples, or finds the reply too long.',
  },
  {
    id: 'D6',
    kind: 'dsat',
    rubric: 'style',
    text: 'The user dislikes the tone, the form or the language of the reply.',
  },
  { id: 'D7', kind: 'dsat', rubric: 'complaint', text: 'The user is annoyed, mocks the reply or complains.' },
  {
    id: 'D8',
    kind: 'dsat',
    rubric: 'refusal',
    text: 'The user objects that the reply refused or avoided the request.',
  },
  { id: 'S1', kind: 'sat', text: 'The user thanks or praises the assistant for the reply.' },
  { id: 'S2', kind: 'sat', text: 'The user says that it worked, that it helped or that it is understood now.' },
  { id: 'S3', kind: 'sat', text: 'The user accepts the reply and builds on it with evident approval.' },
];

/** What is judged by until a rubric was learnt. */
export const DEFAULT_RUBRIC: JudgeRubric = {
  version: rubricVersion({ items: DEFAULT_ITEMS, ...UNFITTED }),
  items: DEFAULT_ITEMS,
  ...UNFITTED,
};
