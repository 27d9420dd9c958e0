import { FeatureVector } from './feature-vector.js';
import { LinearOutput } from './linear-output.js';
import { softmax } from './softmax.js';
import type { Band, Calibration, Decision, StageModel } from './stage-model.js';
import {
  type Exchange,
  LABELS,
  type Label,
  type NamingClassifier,
  RUBRICS,
  type Rubric,
  type Verdict,
} from './verdict.js';

/** Writes the features of an exchange into an emptied vector. */
export type Features = (exchange: Exchange, into: FeatureVector) => void;

/** One stage of the cascade: a calibrated linear model over hashed features. */
export class LinearStage implements NamingClassifier {
  private readonly vector: FeatureVector;
  private readonly labels: LinearOutput;
  private readonly rubrics: LinearOutput;
  private readonly scores = new Float64Array(LABELS.length);
  private readonly rubricScores = new Float64Array(RUBRICS.length);

  constructor(
    readonly version: string,
    private readonly model: StageModel,
    private readonly features: Features,
  ) {
    this.vector = new FeatureVector(model.bits);
    this.labels = new LinearOutput(model.labels);
    this.rubrics = new LinearOutput(model.rubrics);
  }

  async classify(exchanges: Exchange[]): Promise<Verdict[]> {
    return this.classifyNow(exchanges);
  }

  async likelyRubrics(exchanges: Exchange[]): Promise<Rubric[]> {
    return exchanges.map((exchange) => {
      this.features(exchange, this.vector);
      return this.rubric();
    });
  }

  /** The verdicts without a promise, for the Kafka batch. */
  classifyNow(exchanges: Exchange[]): Verdict[] {
    return exchanges.map((exchange) => this.verdict(exchange));
  }

  private verdict(exchange: Exchange): Verdict {
    this.features(exchange, this.vector);
    this.labels.score(this.vector, this.scores);
    const [dsat, sat, neutral] = calibrate(this.scores, this.model.calibration);
    const probabilities = { dsat: dsat!, sat: sat!, neutral: neutral! };
    const label = decide(probabilities, this.model.decision);
    return {
      label,
      probabilities,
      rubric: label === 'dsat' ? this.rubric() : null,
      abstained: abstains(probabilities, this.model.decision),
      classifierVersion: this.version,
      status: this.model.band && isUncertain(probabilities, this.model.band) ? 'provisional' : 'final',
    };
  }

  private rubric(): Rubric {
    this.rubrics.score(this.vector, this.rubricScores);
    return RUBRICS[this.rubricScores.indexOf(Math.max(...this.rubricScores))]!;
  }
}

/** Probabilities of scores, in place. */
export function calibrate(scores: Float64Array, { scale, shift }: Calibration): Float64Array {
  for (let i = 0; i < scores.length; i++) scores[i] = scale * scores[i]! + shift[i]!;
  softmax(scores);
  return scores;
}

export function decide({ dsat, sat }: Record<Label, number>, decision: Decision): Label {
  if (dsat >= decision.dsat) return 'dsat';
  return sat >= decision.sat ? 'sat' : 'neutral';
}

/** From here on dsat is more probable than not. */
const MORE_LIKELY = 0.5;

/**
 * Whether a verdict abstains: a dsat one that is more likely wrong than right, and one that the same distance under the
 * threshold kept from being dsat. The threshold is where F1 is best, and so lies under one half.
 */
export function abstains({ dsat }: Record<Label, number>, { dsat: threshold }: Decision): boolean {
  return dsat < MORE_LIKELY && dsat > 2 * threshold - MORE_LIKELY;
}

export function isUncertain(probabilities: Record<Label, number>, band: Band): boolean {
  const within = (value: number, [from, to]: [number, number]) => value > from && value < to;
  return within(probabilities.dsat, band.dsat) || within(probabilities.sat, band.sat);
}
