import { likeliest, verdictOf } from './decide-verdict.js';
import { FeatureVector } from './feature-vector.js';
import { LinearOutput } from './linear-output.js';
import type { StageModel } from './stage-model.js';
import { type Exchange, LABELS, type NamingClassifier, RUBRICS, type Rubric, type Verdict } from './verdict.js';

/** Writes the features of an exchange into an emptied vector. */
export type Features = (exchange: Exchange, into: FeatureVector) => void;

/** A linear model over hashed features; used by itself it is a stage of the cascade. */
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
    return exchanges.map((exchange) => likeliest(this.scoresOf(exchange).rubrics));
  }

  /** The verdicts without a promise, for the Kafka batch. */
  classifyNow(exchanges: Exchange[]): Verdict[] {
    return exchanges.map((exchange) => {
      this.scoreLabels(exchange);
      return verdictOf(this.scores, () => this.scoreRubrics(), this.model, this.version);
    });
  }

  /** Scores before calibration, in the order of `LABELS` and of `RUBRICS`; overwritten by the next call. */
  scoresOf(exchange: Exchange): { labels: Float64Array; rubrics: Float64Array } {
    this.scoreLabels(exchange);
    return { labels: this.scores, rubrics: this.scoreRubrics() };
  }

  private scoreLabels(exchange: Exchange): void {
    this.features(exchange, this.vector);
    this.labels.score(this.vector, this.scores);
  }

  /** Of the exchange whose labels were scored last. */
  private scoreRubrics(): Float64Array {
    this.rubrics.score(this.vector, this.rubricScores);
    return this.rubricScores;
  }
}
