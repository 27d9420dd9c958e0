import { register } from 'prom-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { DatabaseMetrics } from '../../src/metrics/database-metrics.js';
import { insertAnchorConversation } from '../factories/anchors.js';
import { evaluation, insertPolicy, insertRun, insertStage, insertStep } from '../factories/runs.js';
import { createTestDatabase } from '../stack.js';

const database = await createTestDatabase();
const dataSource = createDataSource(database.url, 2);
beforeAll(() => dataSource.initialize());
afterAll(() => database.drop());

async function scrape(): Promise<string[]> {
  await new DatabaseMetrics(dataSource).refresh();
  return (await register.metrics()).split('\n').filter((line) => line.startsWith('driftloop_'));
}

it('shows counts of 0, and nothing of runs that never were', async () => {
  const lines = await scrape();
  expect(lines).toContain('driftloop_database_up 1');
  expect(lines).toContain('driftloop_anchors{state="active"} 0');
  expect(lines).toContain('driftloop_runs{status="failed"} 0');
  expect(lines.filter((line) => /training|run_|policy_version_number/.test(line))).toEqual([]);
});

it('shows anchors, the latest run iteration by iteration, and the latest published version', async () => {
  await insertAnchorConversation(dataSource, 'a');
  await insertAnchorConversation(dataSource, 'b', { state: 'retired' });
  const start = new Date('2026-01-05T10:00:00.000Z');
  await insertRun(dataSource, { id: 'old', startedAt: new Date(start.getTime() - 1000), endedAt: start });
  await insertRun(dataSource, { id: 'new', status: 'running', startedAt: start, endedAt: null });
  await insertStep(dataSource, { runId: 'old', iteration: 3, step: 1 });
  await insertStep(dataSource, { runId: 'new', iteration: 1, step: 1, loss: 0.7, margin: 0.1 });
  await insertStep(dataSource, { runId: 'new', iteration: 1, step: 2, loss: 0.5, margin: 0.3 });
  await insertStage(dataSource, { runId: 'new', iteration: 1, stage: 'evaluate', outcome: evaluation(0.25, 0.5) });
  const replies = { improved: 0.75, chosenDispleases: 0.125, rejectedDispleases: 0.25 };
  await insertStage(dataSource, { runId: 'new', iteration: 1, stage: 'pair', outcome: { replies } });
  await insertStage(dataSource, { runId: 'new', iteration: 2, stage: 'pair', outcome: { replies: null } });
  await insertPolicy(dataSource, { version: 'v1', number: 1 });
  await insertPolicy(dataSource, { version: 'v2', number: 2, status: 'candidate' });

  const lines = await scrape();
  for (const line of [
    'driftloop_anchors{state="active"} 1',
    'driftloop_anchors{state="retired"} 1',
    'driftloop_runs{status="done"} 1',
    'driftloop_run_info{run="new",preset="quick",status="running"} 1',
    'driftloop_run_start_time_seconds 1767607200',
    'driftloop_run_last_success_time_seconds 1767607200',
    'driftloop_training_steps{iteration="1"} 2',
    'driftloop_training_loss{iteration="1"} 0.6',
    'driftloop_training_last_step_margin{iteration="1"} 0.3',
    'driftloop_training_margin{iteration="1",split="held_out"} 0.25',
    'driftloop_training_margin_quantile{iteration="1",split="train",quantile="0.9"} 0.7',
    'driftloop_training_rejected_reward{iteration="1",split="held_out"} -0.125',
    'driftloop_training_accuracy_ratio{iteration="1",split="train"} 0.875',
    'driftloop_training_improved_ratio{iteration="1"} 0.75',
    'driftloop_training_chosen_displeases_ratio{iteration="1"} 0.125',
    'driftloop_policy_version_number 1',
    'driftloop_policy_versions{status="candidate"} 1',
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.filter((line) => line.includes('iteration="3"') || line.startsWith('driftloop_run_end_time'))).toEqual(
    [],
  );
});

it('still shows the training of the run before one that failed before its first step', async () => {
  await insertRun(dataSource, { id: 'failed', status: 'failed', startedAt: new Date('2026-01-06T10:00:00.000Z') });
  const lines = await scrape();
  expect(lines).toContain('driftloop_run_info{run="failed",preset="quick",status="failed"} 1');
  expect(lines).toContain('driftloop_training_margin{iteration="1",split="held_out"} 0.25');
});

it('shares one reading between scrapes that come close together', async () => {
  const metrics = new DatabaseMetrics(dataSource);
  await metrics.refresh();
  await insertAnchorConversation(dataSource, 'later');
  await metrics.refresh();
  expect(await register.getSingleMetricAsString('driftloop_anchors')).toContain('state="active"} 1');
});

it('answers a scrape without the database, and says that it is away', async () => {
  await dataSource.destroy();
  const lines = await scrape();
  expect(lines).toContain('driftloop_database_up 0');
  expect(lines.filter((line) => /driftloop_(anchors|run|training|policy)/.test(line))).toEqual([]);
});
