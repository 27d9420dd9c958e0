export const LABELS = ['dsat', 'sat', 'neutral'] as const;
export type Label = (typeof LABELS)[number];

/** Why a turn displeased. */
export const RUBRICS = [
  'not-working',
  'factual-error',
  'revision',
  'ignored-instruction',
  'detail',
  'style',
  'complaint',
  'refusal',
  'other',
] as const;
export type Rubric = (typeof RUBRICS)[number];

/** What the classifier reads of one follow-up user turn. Nothing earlier, so that late turns cannot change a verdict. */
export interface Exchange {
  /** The user turn nearest before the reply; empty where there is none. */
  prompt: string;
  /** The assistant turn right before the user turn. */
  reply: string;
  /** The user turn that is judged. */
  userTurn: string;
}

/**
 * What a language model that judges uncertain turns came to: its verdict (`asked`, `cached`), or why the classifier's
 * own one stands.
 */
export const JUDGE_OUTCOMES = ['asked', 'cached', 'unavailable', 'over-budget', 'unparseable'] as const;
export type JudgeOutcome = (typeof JUDGE_OUTCOMES)[number];

/** What feedback on the reply says of the turn after it. */
export interface Evidence {
  /** Log-odds of dsat that it adds. */
  logOdds: number;
  /** The same by kind. */
  feedback: Record<string, number>;
}

export interface Verdict {
  label: Label;
  /** Each 0 to 1; together 1. */
  probabilities: Record<Label, number>;
  /** The most probable reason; null unless the label is dsat. */
  rubric: Rubric | null;
  /** The classifier is not sure whether the turn is dsat: nothing follows from the verdict. */
  abstained: boolean;
  classifierVersion: string;
  /** `provisional` in the first stage's uncertain band: a later stage decides. */
  status: 'provisional' | 'final';
  /** Absent where no language model was to be asked. */
  judge?: JudgeOutcome;
  /** Absent where there is no feedback on the reply. The probabilities are without it. */
  evidence?: Evidence;
  /** What the classifier itself said, where evidence was joined to it. */
  classified?: Pick<Verdict, 'label' | 'rubric' | 'abstained'>;
}

/** Whether something may follow from the verdict: an anchor, a seed pair. */
export const isSettled = ({ status, abstained }: Pick<Verdict, 'status' | 'abstained'>): boolean =>
  status === 'final' && !abstained;

/** Whether what follows from that label follows from the verdict. */
export const isSettledAs = (verdict: Pick<Verdict, 'status' | 'abstained' | 'label'>, label: Label): boolean =>
  isSettled(verdict) && verdict.label === label;

/** One stage of the cascade, or the whole: verdicts in the order of the exchanges. */
export interface Classifier {
  readonly version: string;
  classify(exchanges: Exchange[]): Promise<Verdict[]>;
}

/** A classifier that also names a reason where it does not call the turn dsat, which the stream has no use for. */
export interface NamingClassifier extends Classifier {
  /** The most probable reason of each exchange, were it dsat. */
  likelyRubrics(exchanges: Exchange[]): Promise<Rubric[]>;
}
