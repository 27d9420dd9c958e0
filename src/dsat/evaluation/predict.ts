import type { NamingClassifier } from '../verdict.js';
import type { LabelledTurn, Prediction } from './labelled-turn.js';

const BATCH = 64;

/** What the classifier says of the turns, in their order. `onDone` is told how many are done. */
export async function predict(
  classifier: NamingClassifier,
  turns: LabelledTurn[],
  onDone: (done: number) => void = () => {},
): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  for (let at = 0; at < turns.length; at += BATCH) {
    predictions.push(...(await predictSome(classifier, turns.slice(at, at + BATCH))));
    onDone(predictions.length);
  }
  return predictions;
}

/** The reason is asked for where it is needed: of turns that are dsat. */
async function predictSome(classifier: NamingClassifier, turns: LabelledTurn[]): Promise<Prediction[]> {
  const verdicts = await classifier.classify(turns.map(({ exchange }) => exchange));
  const open = turns.flatMap(({ label }, at) => (label === 'dsat' && verdicts[at]!.rubric === null ? [at] : []));
  const rubrics = await classifier.likelyRubrics(open.map((at) => turns[at]!.exchange));
  const named = new Map(open.map((at, i) => [at, rubrics[i]!]));
  return verdicts.map(({ probabilities, label, rubric }, at) => ({
    probabilities,
    label,
    rubric: rubric ?? named.get(at) ?? null,
  }));
}
