import { afterEach, beforeEach, expect, it } from 'vitest';
import { readPrecisions } from '../../src/training/plan/anchor-precision.js';
import type { RunSettings } from '../../src/training/settings.js';
import { train } from '../../src/training/train.js';
import { insertAnchors, request, startTraining, type TrainingHarness } from './training-harness.js';

let harness: TrainingHarness;
/** Of all 100 anchors looked at 75 are right, so `revision` has (60 + 7.5) / 75 = 0.9, `style` (15 + 7.5) / 45 = 0.5. */
const RUBRICS = { revision: { anchors: 65, right: 60 }, style: { anchors: 35, right: 15 } };

beforeEach(async () => {
  harness = await startTraining();
  await insertAnchors(harness.dataSource, 40);
  await harness.dataSource.query('UPDATE classifier_versions SET card = $1', [JSON.stringify({ rubrics: RUBRICS })]);
  await harness.dataSource.query(
    `UPDATE anchors SET rubric = CASE WHEN substring(conversation_id FROM '[0-9]+$')::int % 2 = 0 THEN 'revision' ELSE 'style' END`,
  );
});
afterEach(() => harness.close());

async function run(overrides: Partial<RunSettings>) {
  const result = await train(harness, request({ iterations: 1, ...overrides }));
  if (result.outcome !== 'published') throw new Error(result.why);
  return harness.dataSource.query<{ rubric: string; decision: string; precision: number }[]>(
    `SELECT a.rubric, used.decision, used.precision FROM run_anchors used JOIN anchors a ON a.id = used.anchor_id
     WHERE used.run_id = $1`,
    [result.run],
  );
}

it('weighs each pair by what its rubric had at the plan, the mean one with 1', async () => {
  const plan = await run({ verdictConfidence: 'weight' });
  for (const { rubric, precision } of plan) expect(precision).toBeCloseTo(rubric === 'style' ? 0.5 : 0.9, 12);
  const weights = harness.engine.trained.map(({ weight }) => weight!);
  expect(weights).toHaveLength(8);
  expect(weights.reduce((sum, weight) => sum + weight)).toBeCloseTo(8, 9);
  expect(Math.max(...weights) / Math.min(...weights)).toBeCloseTo(0.9 / 0.5, 9);
});

it('smooths labels, leaves anchors out but holds all out, or does nothing, as it is told', async () => {
  await run({ verdictConfidence: 'smoothing' });
  const smoothing = new Set(harness.engine.trained.map(({ labelSmoothing }) => labelSmoothing!.toFixed(6)));
  expect([...smoothing].sort()).toEqual(['0.100000', '0.500000']);
  await harness.dataSource.query('DELETE FROM run_anchors');
  const plan = await run({ verdictConfidence: 'threshold', leastPrecision: 0.6 });
  const of = (decision: string) => new Set(plan.flatMap((row) => (row.decision === decision ? row.rubric : [])));
  expect([of('train'), of('low-precision'), of('held-out')]).toEqual([
    new Set(['revision']),
    new Set(['style']),
    new Set(['revision', 'style']),
  ]);
  harness.engine.trained = [];
  await harness.dataSource.query('DELETE FROM run_anchors');
  await run({ verdictConfidence: 'off' });
  expect(harness.engine.trained.some((pair) => 'weight' in pair || 'labelSmoothing' in pair)).toBe(false);
});

it('trusts a person wholly, enough reviews at random before the card, and knows nothing of imported anchors', async () => {
  const { dataSource } = harness;
  const verdict = (index: number, label: string, reviewed: boolean, classified: object | null) =>
    dataSource.query(
      `INSERT INTO verdicts (conversation_id, turn, label, p_dsat, p_sat, p_neutral, classifier_version, status, reviewed, classified)
       VALUES ($1, 2, $2, 0.8, 0.1, 0.1, 'test-classifier', 'final', $3, $4)`,
      [`conversation-${index}`, label, reviewed, classified && JSON.stringify(classified)],
    );
  const ids = await dataSource.query<{ id: string; name: string }[]>(`SELECT id, conversation_id AS name FROM anchors`);
  const idOf = (index: number) => ids.find(({ name }) => name === `conversation-${index}`)!.id;
  await verdict(0, 'dsat', true, { label: 'dsat', rubric: 'revision', abstained: false });
  await dataSource.query(
    `UPDATE anchors SET origin = 'imported', rubric = NULL, classifier_version = NULL WHERE id = $1`,
    [idOf(2)],
  );
  const found = await readPrecisions(dataSource, [0, 1, 2].map(idOf));
  expect([found.get(idOf(0)), found.get(idOf(2))]).toEqual([1, null]);
  expect(found.get(idOf(1))).toBeCloseTo(0.5, 12);

  // Thirty turns that the classifier called dsat for their style, of which people called ten neutral.
  for (let index = 3; index < 33; index++) {
    await verdict(index, index < 13 ? 'neutral' : 'dsat', true, { label: 'dsat', rubric: 'style', abstained: false });
    await dataSource.query(
      `INSERT INTO reviews (conversation_id, turn, reviewer, label, rubric, confidence, stratum, classifier_label, classifier_version)
       VALUES ($1, 2, 'ann', $2, $3, 'high', 'random', 'dsat', 'test-classifier')`,
      [`conversation-${index}`, index < 13 ? 'neutral' : 'dsat', index < 13 ? null : 'style'],
    );
  }
  expect((await readPrecisions(dataSource, [idOf(1)])).get(idOf(1))).toBeCloseTo(20 / 30, 12);
});
