import type { Figures } from '../evaluation/figures.js';
import { LABELS, RUBRICS } from '../verdict.js';
import { MOST_PROVISIONAL, TOLERATED_LOSS } from './bands.js';
import type { TrainedCard } from './card.js';

const three = (value: number) => value.toFixed(3);
const percent = (share: number) => `${Math.round(share * 100)} %`;

function table(head: string[], rows: (string | number)[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** `docs/dsat.md`: the card for people. */
export function modelCardPage(card: TrainedCard): string {
  const { figures, abstention, intervals95: intervals } = card;
  const [low, high] = intervals.dsatAveragePrecision;
  return `# The dissatisfaction classifier

*Written by \`npm run train:dsat\`; change \`src/dsat/train/card-page.ts\` instead.*

It reads an exchange (the user turn before a reply, the reply, the user's next turn) and says whether that next turn is
dissatisfied with the reply (\`dsat\`), satisfied (\`sat\`) or neither (\`neutral\`), how probable each is, and for dsat why
(the rubric). Nothing later than the turn is read, so a verdict never changes with what comes after.

## Two stages

- The **first stage** keeps up with the stream: n-grams of the turn, how it opens, and a few signals (lengths, how much of the
  prompt it repeats, code, errors, an apology). What it is sure of is \`final\`.
- What lies in its uncertain band (P(dsat) in ${card.band.band.dsat.join(' to ')}, or P(sat) in ${card.band.band.sat.join(' to ')}) is \`provisional\`: ${percent(card.band.provisional)} of the turns.
- The **second stage** decides all of those. It adds the scores of two models: an encoder (bge-small-en-v1.5, 12 layers of 384,
  fine-tuned, in 8 bits, run by ONNX Runtime in a process of its own) that reads at most 128 tokens of turn, prompt and reply; and
  a linear model over longer n-grams, words of prompt and reply, how the turn opens with every less frequent word replaced by
  where it comes from, and every pair of 19 signals.

The linear models are multinomial logistic regressions over hashed features. Each stage is calibrated by one scale and one
shift per label, and one shift per rubric. Version \`${card.version}\`, built on ${card.builtOn} from ${card.trainedOn.turns} labelled turns of ${card.trainedOn.conversations}
conversations (\`data/dsat-labels.jsonl\`, texts from ${card.trainedOn.corpus}):

${table(
  ['file', 'bytes', 'sha256'],
  Object.values(card.weights).map(({ file, bytes, sha256 }) => [file, bytes, `\`${sha256}\``]),
)}

\`npm run train:dsat\` trains all of it anew: the encoder takes more than a CPU-hour (Python with torch, which it installs), once
a fold and once on everything, and comes out as good but not the same to the last bit. With \`-- --keep-encoder\` the encoder
stays, its scores out of fold are read from \`data/dsat-encoder-scores.jsonl\`, and the linear models come out bit for bit.

What it costs: \`npm run bench:dsat\`. Of a long text every stage reads the head and the tail only, so that no text makes it slow.

## How right it is

Measured on ${card.measuredOn}:
${figures.cascade.turns} turns, 16 % of them dsat, 4 % sat.

${table(
  ['', 'average precision', 'precision', 'recall', 'F1', 'recall at precision 0.85', 'calibration error'],
  (['dsat', 'sat'] as const).flatMap((label) =>
    (['first', 'second', 'cascade'] as const).map((way) =>
      figureRow(`${label}, ${way === 'cascade' ? way : `${way} stage alone`}`, figures[way], label),
    ),
  ),
)}

Of the cascade, 95 % intervals (bootstrap over conversations): average precision of dsat ${three(low)} to ${three(high)}, F1 of dsat
${intervals.dsatF1.map(three).join(' to ')}, F1 of sat ${intervals.satF1.map(three).join(' to ')}. On the turns that were labelled with high confidence the average
precision of dsat is ${three(figures.cascade.dsatAveragePrecisionHighConfidence)}. Macro F1 is ${three(figures.cascade.macroF1)}. A plain TF-IDF and logistic regression reached
${card.baseline.dsatAveragePrecision} (average precision) and ${card.baseline.dsatF1} (best F1) in the same cross-validation.

What the cascade is to reach, and what it reaches (F1 at the shipped threshold, the rubric as the second stage names it):

${table(
  ['', 'goal', 'reached', ''],
  card.goals.map(({ name, reached, met, ...goal }) => [
    name,
    'atMost' in goal ? `at most ${goal.atMost}` : `at least ${goal.atLeast}`,
    three(reached),
    met ? 'yes' : '**no**',
  ]),
)}

What the cascade decides (columns) of turns labelled (rows):

${table(
  ['', ...LABELS],
  LABELS.map((label) => [label, ...LABELS.map((decided) => figures.cascade.confusion[label][decided])]),
)}

## Where it abstains

The threshold of dsat is where F1 is best, at a P(dsat) under one half. A verdict abstains where P(dsat) is under one half
and less than that distance from the threshold: a dsat verdict that is more likely wrong than right, and a turn that was
nearly called dsat. Its label stays, and the figures above count it; but it makes no anchor and no side of a seed pair.
It does so on ${percent(abstention.share)} of the turns, and ${percent(abstention.dsatShare)} of those called dsat. Called dsat:

${table(
  ['', 'turns', 'precision', 'recall'],
  [
    [
      'all',
      abstention.kept.turns + abstention.putAside.turns,
      three(figures.cascade.dsat.precision),
      three(figures.cascade.dsat.recall),
    ],
    ['those that make anchors', abstention.kept.turns, three(abstention.kept.precision), three(abstention.kept.recall)],
    [
      'those that abstain',
      abstention.putAside.turns,
      three(abstention.putAside.precision),
      three(figures.cascade.dsat.recall - abstention.kept.recall),
    ],
  ],
)}

Of the turns not called dsat, ${percent(abstention.missed.abstained)} of those that abstain are labelled dsat, and ${percent(abstention.missed.kept)} of the others.

## Accuracy against the share that is provisional

The second stage is some hundred times as costly as the first, so no band is taken that leaves it more than ${percent(MOST_PROVISIONAL)} of the
turns. Of the others the shipped one leaves it the fewest while each figure stays within ${TOLERATED_LOSS} of the second stage alone;
where none does, it is the one with the best average precision. Some, with the thresholds fitted on all turns (so a little
higher than above):

${table(
  ['provisional', 'P(dsat) from, to', 'P(sat) from, to', 'average precision', 'F1 dsat', 'F1 sat'],
  [...card.accuracyAgainstShare, card.band].map(
    ({ provisional, band, dsatAveragePrecision, dsatF1, satF1 }, at, all) => [
      `${percent(provisional)}${at === all.length - 1 ? ' (shipped)' : ''}`,
      band.dsat.join(', '),
      band.sat.join(', '),
      three(dsatAveragePrecision),
      three(dsatF1),
      three(satF1),
    ],
  ),
)}

## By rubric

Of the turns labelled dsat: how many the cascade finds, and to how many the second stage gives this rubric. Of the turns
that make anchors with this rubric: how many, and how many of them are labelled dsat. The second stage names it right for
${percent(card.rubricAccuracy.second)} of them, the first stage for ${percent(card.rubricAccuracy.first)}.

${table(
  ['rubric', 'turns', 'found', 'named', 'anchors', 'precision'],
  RUBRICS.map((rubric) => {
    const { turns, found, named, anchors, right } = card.rubrics[rubric];
    return [rubric, turns, percent(found), percent(named), anchors, anchors === 0 ? '' : percent(right / anchors)];
  }),
)}

## What is not known

${card.limits.map((limit) => `- ${limit}`).join('\n')}
`;
}

function figureRow(name: string, figures: Figures, label: 'dsat' | 'sat'): string[] {
  const { averagePrecision, precision, recall, f1, recallAtPrecision85, ece } = figures[label];
  return [name, ...[averagePrecision, precision, recall, f1, recallAtPrecision85, ece].map(three)];
}
