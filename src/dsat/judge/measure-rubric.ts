import { DriftError } from '../../drift-error.js';
import { decide, probabilitiesOf } from '../decide-verdict.js';
import { type Decided, type Figures, figuresOf } from '../evaluation/figures.js';
import { chunksOf, mapConcurrently } from '../llm/map-concurrently.js';
import { foldOf } from '../train/cross-validation.js';
import { fitCalibration } from '../train/fit-calibration.js';
import { fitDecision } from '../train/fit-decision.js';
import { type Exchange, LABELS, type Label, type Rubric } from '../verdict.js';
import type { ExchangeJudge } from './exchange-judge.js';
import { type ItemScores, type JudgeRubric, type RubricItem, scoresOf, UNFITTED } from './rubric.js';

/** A labelled turn that the rubric was not learnt from. */
export interface MeasuredTurn {
  conversation: string;
  label: Label;
  rubric: Rubric | null;
  confidence: 'high' | 'low' | null;
  exchange: Exchange;
}

export type Measured = Pick<JudgeRubric, 'calibration' | 'decision'> & {
  /** Out of fold; null where there are too few turns to fit anything on. */
  figures: Figures | null;
  /** Turns that the model judged, and those whose answers could not be read. */
  judged: number;
  unreadable: number;
};

/** Fewer turns, or fewer of a side, leave the calibration as it is. */
const FEWEST = { turns: 40, dsat: 8 };

/** Lets the model judge labelled turns, fits probabilities and thresholds on its scores, and says how right it is. */
export async function measureRubric(
  judge: ExchangeJudge,
  items: readonly RubricItem[],
  turns: readonly MeasuredTurn[],
  { batch, concurrency }: { batch: number; concurrency: number },
  onProgress: (done: number) => void,
): Promise<Measured> {
  let done = 0;
  const answers = await mapConcurrently(chunksOf(turns, batch), concurrency, async (chunk) => {
    const answers = await judge.answers(chunk.map(({ exchange }) => exchange));
    done += chunk.length;
    onProgress(done);
    return answers;
  });
  const scored = answers.flat().flatMap((answer, at): ScoredTurn[] => {
    if ('items' in answer) return [{ ...turns[at]!, scores: scoresOf(answer.items, items) }];
    if (answer.outcome === 'unparseable') return [];
    const why = answer.outcome === 'unavailable' ? 'judge-unavailable' : 'judge-over-budget';
    throw new DriftError(
      why,
      `The judge stopped answering (${answer.outcome}): the rubric is not measured, nor stored.`,
    );
  });
  const dsat = scored.filter(({ label }) => label === 'dsat').length;
  const enough = scored.length >= FEWEST.turns && dsat >= FEWEST.dsat && scored.length - dsat >= FEWEST.dsat;
  return {
    ...(enough ? { ...fitOn(scored), figures: crossFitted(scored) } : { ...UNFITTED, figures: null }),
    judged: scored.length,
    unreadable: turns.length - scored.length,
  };
}

interface ScoredTurn extends MeasuredTurn {
  scores: ItemScores;
}

type Fit = Pick<JudgeRubric, 'calibration' | 'decision'>;

function fitOn(turns: readonly ScoredTurn[]): Fit {
  const targets = turns.map(({ scores, label }) => ({
    scores: Float64Array.from(scores),
    target: LABELS.indexOf(label),
  }));
  const calibration = fitCalibration(targets, LABELS.length);
  const judged = turns.map((turn) => ({ label: turn.label, probabilities: probabilitiesOf(turn.scores, calibration) }));
  return { calibration, decision: fitDecision(judged) };
}

/** Each turn with what was fitted on the other half of the conversations. */
function crossFitted(turns: readonly ScoredTurn[]): Figures {
  const half = ({ conversation }: ScoredTurn) => foldOf(`half ${conversation}`) % 2;
  const fits = [0, 1].map((side) => fitOn(turns.filter((turn) => half(turn) !== side)));
  return figuresOf(
    turns.map((turn): Decided => {
      const { calibration, decision } = fits[half(turn)]!;
      const probabilities = probabilitiesOf(turn.scores, calibration);
      const { conversation, label, rubric, confidence } = turn;
      return { conversation, label, rubric, confidence, probabilities, decided: decide(probabilities, decision) };
    }),
  );
}
