import { LABELS, type Label } from '../verdict.js';
import type { TurnLabel } from './labelled-exchanges.js';

type Distribution = readonly [dsat: number, sat: number, neutral: number];

/** Of turns that the first reader labelled with low confidence, about so many are of each label. */
const DOUBTFUL: Distribution = [0.4, 0.05, 0.55];
const DOUBT = 0.4;

/** What turns are to the first reader that the second labelled so with low confidence: of 480 turns read by both. */
const SECOND_READER: Record<Label, Distribution> = {
  dsat: [0.55, 0, 0.45],
  sat: [0, 0.85, 0.15],
  neutral: [0.05, 0.01, 0.94],
};
/** The same of dsat labelled with high confidence. Sat and neutral are so to both. */
const SURE_DSAT: Distribution = [0.95, 0, 0.05];

/**
 * Probability of each label that training aims at. A label given with low confidence counts in part as not known: out of
 * fold that is worth 0.008 of average precision. Figures are the first reader's, so the second's labels are taken for
 * what they are to the first.
 */
export function labelTarget({ label, confidence, stratum }: TurnLabel): Distribution {
  const low = confidence === 'low';
  if (isSecondReader(stratum)) return low ? SECOND_READER[label] : label === 'dsat' ? SURE_DSAT : sure(label);
  const [dsat, sat, neutral] = sure(label);
  const doubt = low ? DOUBT : 0;
  const mixed = (value: number, doubtful: number) => (1 - doubt) * value + doubt * doubtful;
  return [mixed(dsat, DOUBTFUL[0]), mixed(sat, DOUBTFUL[1]), mixed(neutral, DOUBTFUL[2])];
}

/** The same for the encoder, which takes a low confidence less to heart: a tenth goes to what it is mostly confused with. */
export function encoderTarget(turn: TurnLabel): Distribution {
  const { label, confidence, stratum } = turn;
  if (isSecondReader(stratum)) return labelTarget(turn);
  if (confidence === 'high') return sure(label);
  const [dsat, sat, neutral] = sure(label).map((value) => 0.9 * value);
  return label === 'neutral' ? [0.1, 0, neutral!] : [dsat!, sat!, 0.1];
}

/** What an example counts in the encoder's training: the second reader's less. */
export function encoderWeight({ stratum }: TurnLabel): number {
  return isSecondReader(stratum) ? 0.7 : 1;
}

function isSecondReader(stratum: TurnLabel['stratum']): boolean {
  return stratum === 'more-random' || stratum === 'more-uncertain';
}

function sure(label: Label): Distribution {
  const [dsat, sat, neutral] = LABELS.map((of) => Number(of === label));
  return [dsat!, sat!, neutral!];
}
