import { likeliest, verdictOf } from '../decide-verdict.js';
import type { LinearStage } from '../linear-stage.js';
import type { EncoderShare, StageModel } from '../stage-model.js';
import type { Exchange, NamingClassifier, Rubric, Verdict } from '../verdict.js';
import type { EncoderProcess } from './encoder-process.js';
import type { EncoderScores } from './encoder-session.js';

/** The second stage: an encoder and a linear model, whose scores are added. */
export class EncoderStage implements NamingClassifier {
  readonly version: string;

  constructor(
    private readonly linear: LinearStage,
    private readonly encoder: Pick<EncoderProcess, 'score' | 'prepare'>,
    private readonly model: StageModel & { encoder: EncoderShare },
  ) {
    this.version = linear.version;
  }

  /** Loads the encoder now, and not with the first exchange. */
  prepare(): void {
    this.encoder.prepare();
  }

  async classify(exchanges: Exchange[]): Promise<Verdict[]> {
    const scores = await this.encoder.score(exchanges);
    return exchanges.map((exchange, at) => {
      const { labels, rubrics } = this.added(exchange, scores[at]!);
      return verdictOf(labels, () => rubrics, this.model, this.version);
    });
  }

  async likelyRubrics(exchanges: Exchange[]): Promise<Rubric[]> {
    const scores = await this.encoder.score(exchanges);
    return exchanges.map((exchange, at) => likeliest(this.added(exchange, scores[at]!).rubrics));
  }

  private added(exchange: Exchange, encoder: EncoderScores): { labels: Float64Array; rubrics: Float64Array } {
    const linear = this.linear.scoresOf(exchange);
    const { linear: share } = this.model.encoder;
    return {
      labels: addScores(encoder.labels, linear.labels, share.labels),
      rubrics: addScores(encoder.rubrics, linear.rubrics, share.rubrics),
    };
  }
}

/** `encoder + share * linear`, score by score. */
export function addScores(encoder: readonly number[], linear: Float64Array, share: number): Float64Array {
  return Float64Array.from(encoder, (score, at) => score + share * linear[at]!);
}
