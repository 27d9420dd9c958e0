import type { Label } from '../verdict.js';

/** A labelled turn, and what a classifier decided of it. */
export interface MaybeAbstained {
  label: Label;
  decided: Label;
  abstained: boolean;
}

/** What abstention does to the verdicts. */
export interface AbstentionFigures {
  /** Share of all turns. */
  share: number;
  /** Share of the turns decided dsat. */
  dsatShare: number;
  /** Of the turns decided dsat: what is left, and what is put aside. */
  kept: { turns: number; precision: number; recall: number };
  putAside: { turns: number; precision: number };
  /** Share of turns labelled dsat among the others that abstain, and among the others that do not. */
  missed: { abstained: number; kept: number };
}

export function abstentionFigures(turns: MaybeAbstained[]): AbstentionFigures {
  const share = (of: MaybeAbstained[], is: (turn: MaybeAbstained) => boolean) =>
    of.filter(is).length / Math.max(1, of.length);
  const isDsat = ({ label }: MaybeAbstained) => label === 'dsat';
  const part = (dsat: boolean, abstained: boolean) =>
    turns.filter((turn) => (turn.decided === 'dsat') === dsat && turn.abstained === abstained);
  const [kept, putAside] = [part(true, false), part(true, true)];
  return {
    share: share(turns, ({ abstained }) => abstained),
    dsatShare: share([...kept, ...putAside], ({ abstained }) => abstained),
    kept: {
      turns: kept.length,
      precision: share(kept, isDsat),
      recall: share(turns.filter(isDsat), ({ decided, abstained }) => decided === 'dsat' && !abstained),
    },
    putAside: { turns: putAside.length, precision: share(putAside, isDsat) },
    missed: { abstained: share(part(false, true), isDsat), kept: share(part(false, false), isDsat) },
  };
}
