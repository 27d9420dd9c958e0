import type { Exchange } from '../verdict.js';

/** Tokens of one exchange as the encoder reads it. */
export interface EncoderInput {
  /** At most 128: [CLS] user turn [SEP] prompt [SEP] reply [SEP]. */
  ids: number[];
  /** 0 for the user turn, 1 for what it answers. */
  segments: number[];
}

/** Ids of a text, without special tokens. */
export type TokenIds = (text: string) => number[];

/** Ids of [CLS] and [SEP] in the vocabulary of BERT. */
const CLS = 101;
const SEP = 102;

/** Without the four special tokens. */
const BUDGET = 124;

/** Of a longer text only so many UTF-16 units at either end are read. */
const READ = 1_000;

/**
 * The turn comes first and may take what prompt and reply leave, at least half; the prompt has two fifths of the rest.
 * Of a text that is too long the head and the tail stay: a complaint opens a turn, the request often ends the prompt.
 * `scripts/dsat/encoder_input.py` does the same when the encoder is trained.
 */
export function encoderInput({ prompt, reply, userTurn }: Exchange, tokenIds: TokenIds): EncoderInput {
  const [turn, asked, answered] = [userTurn, prompt, reply].map((text) => tokenIds(endsOf(text))) as [
    number[],
    number[],
    number[],
  ];
  const turnIds = ends(turn, Math.max(BUDGET / 2, BUDGET - asked.length - answered.length), 0.7);
  const rest = BUDGET - turnIds.length;
  const promptIds = ends(asked, Math.max(Math.floor((rest * 2) / 5), rest - answered.length), 0.6);
  const replyIds = ends(answered, rest - promptIds.length, 0.5);
  const context = promptIds.length + replyIds.length + 2;
  return {
    ids: [CLS, ...turnIds, SEP, ...promptIds, SEP, ...replyIds, SEP],
    segments: [...new Array<number>(turnIds.length + 2).fill(0), ...new Array<number>(context).fill(1)],
  };
}

function endsOf(text: string): string {
  return text.length <= 2 * READ ? text : `${text.slice(0, READ)} ${text.slice(-READ)}`;
}

function ends(ids: number[], most: number, head: number): number[] {
  if (ids.length <= most) return ids;
  const first = Math.floor(most * head);
  return [...ids.slice(0, first), ...ids.slice(ids.length - (most - first))];
}
