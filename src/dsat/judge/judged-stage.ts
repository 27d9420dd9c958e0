import { countJudged } from '../../metrics/judge-metrics.js';
import type { Classifier, Exchange, Verdict } from '../verdict.js';
import type { ExchangeJudge, Judgement } from './exchange-judge.js';

/** A stage from whose verdicts a language model judges those that abstain; where that fails its own verdict stands, and says so. */
export class JudgedStage implements Classifier {
  /** Of the verdicts that the language model gave; the others keep the stage's. */
  readonly version: string;

  constructor(
    private readonly stage: Classifier,
    private readonly judge: Pick<ExchangeJudge, 'judge'>,
    judgeVersion: string,
  ) {
    this.version = judgedVersion(stage.version, judgeVersion);
  }

  async classify(exchanges: Exchange[]): Promise<Verdict[]> {
    const verdicts = await this.stage.classify(exchanges);
    const uncertain = verdicts.flatMap(({ abstained }, at) => (abstained ? [at] : []));
    const judgements = await this.judge.judge(uncertain.map((at) => exchanges[at]!));
    uncertain.forEach((at, i) => {
      verdicts[at] = this.joined(verdicts[at]!, judgements[i]!);
    });
    countJudged(
      verdicts.length,
      judgements.map(({ outcome }) => outcome),
    );
    return verdicts;
  }

  private joined(verdict: Verdict, { outcome, ...judged }: Judgement): Verdict {
    return 'label' in judged
      ? { ...verdict, ...judged, classifierVersion: this.version, judge: outcome }
      : { ...verdict, judge: outcome };
  }
}

export const judgedVersion = (stage: string, judge: string) => `${stage}+${judge}`;
