import type { Classifier, Exchange, Label, Verdict } from '../../src/dsat/verdict.js';

export const SCRIPTED_VERSION = 'scripted';

/**
 * A classifier that reads its verdict from the user's turn: `BAD` is dsat, `GOOD` is sat, all else neutral. The first
 * stage leaves turns that say `MAYBE` to the second, and takes them for neutral until then. Of turns that say `UNSURE` both
 * abstain.
 */
export class ScriptedClassifier implements Classifier {
  readonly version = SCRIPTED_VERSION;

  constructor(private readonly stage: 'first' | 'second') {}

  async classify(exchanges: Exchange[]): Promise<Verdict[]> {
    return exchanges.map(({ userTurn }) => {
      const provisional = this.stage === 'first' && userTurn.includes('MAYBE');
      const label = provisional ? 'neutral' : labelOf(userTurn);
      return verdictOf(label, provisional ? 'provisional' : 'final', userTurn.includes('UNSURE'));
    });
  }
}

function labelOf(text: string): Label {
  if (text.includes('BAD')) return 'dsat';
  return text.includes('GOOD') ? 'sat' : 'neutral';
}

function verdictOf(label: Label, status: Verdict['status'], abstained: boolean): Verdict {
  const share = (of: Label) => (abstained ? (of === label ? 0.4 : 0.3) : of === label ? 0.9 : 0.05);
  return {
    label,
    probabilities: { dsat: share('dsat'), sat: share('sat'), neutral: share('neutral') },
    rubric: label === 'dsat' ? 'other' : null,
    abstained,
    classifierVersion: SCRIPTED_VERSION,
    status,
  };
}
