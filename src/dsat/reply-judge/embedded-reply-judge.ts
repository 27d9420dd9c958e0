import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { calibrate } from '../decide-verdict.js';
import { FeatureVector } from '../feature-vector.js';
import { LinearOutput } from '../linear-output.js';
import { readWeights } from '../read-weights.js';
import { decodeStage, type StageModel } from '../stage-model.js';
import { replyFeatures } from './reply-features.js';
import type { FreshReply, Preference, ReplyJudge, ReplyPair } from './reply-judge.js';

export const REPLY_JUDGE_FILE = 'reply-judge.bin';
const SHIPPED = fileURLToPath(new URL(`../weights/${REPLY_JUDGE_FILE}`, import.meta.url));

/** A calibrated linear model over hashed features of prompt and reply: `docs/reply-judge.md` says how little it knows. */
export class EmbeddedReplyJudge implements ReplyJudge {
  private readonly vector: FeatureVector;
  private readonly output: LinearOutput;
  private readonly scores = new Float64Array(2);

  constructor(
    readonly version: string,
    private readonly model: StageModel,
  ) {
    this.vector = new FeatureVector(model.bits);
    this.output = new LinearOutput(model.labels);
  }

  async score(replies: readonly FreshReply[]): Promise<number[]> {
    return replies.map((reply) => this.scoreNow(reply));
  }

  async prefer(pairs: readonly ReplyPair[]): Promise<Preference[]> {
    return pairs.map(({ first, second, ...rest }) => {
      const difference = this.scoreNow({ ...rest, reply: first }) - this.scoreNow({ ...rest, reply: second });
      return difference === 0 ? 'none' : difference < 0 ? 'first' : 'second';
    });
  }

  private scoreNow(reply: FreshReply): number {
    replyFeatures(reply, this.vector);
    this.output.score(this.vector, this.scores);
    return calibrate(this.scores, this.model.calibration)[0]!;
  }
}

/** @throws DriftError `asset-missing`, `model-invalid` */
export function loadReplyJudge(file = SHIPPED): EmbeddedReplyJudge {
  const bytes = readWeights(file);
  return new EmbeddedReplyJudge(replyJudgeVersion(bytes), decodeStage(bytes, REPLY_JUDGE_FILE));
}

export const replyJudgeVersion = (bytes: Buffer): string =>
  `reply-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
