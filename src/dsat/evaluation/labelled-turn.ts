import type { Exchange, Label, Rubric } from '../verdict.js';
import type { Decided } from './figures.js';
import type { Probabilities } from './judged.js';

/** A turn that was labelled, with its texts. */
export interface LabelledTurn {
  conversation: string;
  /** Its index in the conversation, from 0. */
  turn: number;
  label: Label;
  /** Why it is dsat; null where nobody said, or it is not. */
  rubric: Rubric | null;
  /** Of the one who labelled. */
  confidence: 'high' | 'low' | null;
  /** How it came to be labelled: `random` where turns were drawn as they come. */
  stratum: string | null;
  /** As the file has it. */
  language: string | null;
  metadata: Record<string, string>;
  exchange: Exchange;
}

/** What a classifier says of a turn. */
export interface Prediction {
  probabilities: Probabilities;
  label: Label;
  /** The most probable reason, were the turn dsat; null where the predictions do not say. */
  rubric: Rubric | null;
}

/** A labelled turn with what a classifier says of it. */
export interface EvaluatedTurn extends LabelledTurn, Decided {
  named: Rubric | null;
}

export function evaluated(turns: LabelledTurn[], predictions: Prediction[]): EvaluatedTurn[] {
  return turns.map((turn, at) => {
    const { probabilities, label, rubric } = predictions[at]!;
    return { ...turn, probabilities, decided: label, named: rubric };
  });
}
