import type { Gauge } from 'prom-client';
import type { EntityManager } from 'typeorm';
import { ANCHOR_STATES } from '../anchor/anchor.js';
import { POLICY_STATUSES } from '../policy/policy-version.entity.js';
import { evaluationSchema, type PairScores, repliesSchema } from '../training/evaluation.js';
import { RUN_STATUSES } from '../training/run.entity.js';
import * as gauges from './database-gauges.js';

/** Reads, and resolves to what sets the gauges: nothing is set before everything is read. */
export type Reading = (manager: EntityManager) => Promise<() => void>;

/** What the training gauges show: a run that failed before its first step has nothing to show. */
const LATEST_TRAINED_RUN = `(SELECT id FROM runs r WHERE EXISTS (SELECT FROM training_steps WHERE run_id = r.id)
  ORDER BY started_at DESC, id DESC LIMIT 1)`;
const LATEST_RUN = '(SELECT id FROM runs ORDER BY started_at DESC, id DESC LIMIT 1)';

export const READINGS: Reading[] = [
  counts(
    gauges.anchors,
    'state',
    ANCHOR_STATES,
    `SELECT state AS key, count(*)::int FROM anchors WHERE origin = 'observed' GROUP BY state`,
  ),
  counts(gauges.runs, 'status', RUN_STATUSES, 'SELECT status AS key, count(*)::int FROM runs GROUP BY status'),
  counts(
    gauges.policyVersions,
    'status',
    POLICY_STATUSES,
    'SELECT status AS key, count(*)::int FROM policy_versions GROUP BY status',
  ),
  reading<{ count: number }>('SELECT count(*)::int FROM seed_pairs', ([row]) => gauges.seedPairs.set(row?.count ?? 0)),
  reading<{ count: number }>(`SELECT count(*)::int FROM verdicts WHERE status = 'provisional'`, ([row]) =>
    gauges.provisionalVerdicts.set(row?.count ?? 0),
  ),
  reading<{ tokens: number }>(
    `SELECT coalesce(sum(tokens), 0)::float8 AS tokens FROM judge_spend WHERE day = (now() AT TIME ZONE 'UTC')::date`,
    ([row]) => gauges.judgeTokens.set(row?.tokens ?? 0),
  ),
  reading(
    `SELECT id, preset, status, extract(epoch FROM started_at)::float8 AS "startedAt",
       extract(epoch FROM ended_at)::float8 AS "endedAt" FROM runs WHERE id = ${LATEST_RUN}`,
    setLatestRun,
  ),
  reading<{ endedAt: number }>(
    `SELECT extract(epoch FROM ended_at)::float8 AS "endedAt" FROM runs
     WHERE status = 'done' ORDER BY ended_at DESC LIMIT 1`,
    ([run]) => run && gauges.runSuccess.set(run.endedAt),
  ),
  reading(
    `SELECT DISTINCT ON (iteration) iteration, (count(*) OVER whole)::int AS steps, avg(loss) OVER whole AS "meanLoss",
       loss, margin, chosen_reward AS "chosenReward", rejected_reward AS "rejectedReward", accuracy,
       grad_norm AS "gradNorm"
     FROM training_steps WHERE run_id = ${LATEST_TRAINED_RUN}
     WINDOW whole AS (PARTITION BY iteration) ORDER BY iteration, step DESC`,
    setSteps,
  ),
  reading(
    `SELECT iteration, outcome FROM run_stages
     WHERE run_id = ${LATEST_TRAINED_RUN} AND stage IN ('warm-start', 'evaluate') AND status = 'done'`,
    setEvaluations,
  ),
  reading(
    `SELECT iteration, outcome -> 'replies' AS outcome FROM run_stages
     WHERE run_id = ${LATEST_TRAINED_RUN} AND stage = 'pair' AND status = 'done' AND iteration > 0`,
    setReplies,
  ),
  reading(
    `SELECT number, extract(epoch FROM created_at)::float8 AS "createdAt" FROM policy_versions
     WHERE status = 'published' ORDER BY number DESC LIMIT 1`,
    setLatestPolicy,
  ),
];

function reading<Row>(sql: string, set: (rows: Row[]) => void): Reading {
  return async (manager) => {
    const rows = await manager.query<Row[]>(sql);
    return () => set(rows);
  };
}

/** Keys without rows count 0, so that a graph shows them before the first one comes. */
function counts<T extends string>(gauge: Gauge<T>, label: T, keys: readonly string[], sql: string): Reading {
  return reading<{ key: string; count: number }>(sql, (rows) => {
    const found = new Map(rows.map(({ key, count }) => [key, count]));
    for (const key of keys) gauge.labels({ [label]: key } as Record<T, string>).set(found.get(key) ?? 0);
  });
}

interface RunRow {
  id: string;
  preset: string;
  status: string;
  startedAt: number;
  endedAt: number | null;
}

function setLatestRun([run]: RunRow[]): void {
  if (!run) return;
  gauges.runInfo.set({ run: run.id, preset: run.preset, status: run.status }, 1);
  gauges.runStart.set(run.startedAt);
  if (run.endedAt !== null) gauges.runEnd.set(run.endedAt);
}

type StepRow = { iteration: number; steps: number; meanLoss: number } & Record<keyof typeof gauges.lastStep, number>;

function setSteps(rows: StepRow[]): void {
  for (const { iteration, steps, meanLoss, ...values } of rows) {
    gauges.steps.set({ iteration }, steps);
    gauges.meanLoss.set({ iteration }, meanLoss);
    for (const [name, gauge] of Object.entries(gauges.lastStep)) {
      gauge.set({ iteration }, values[name as keyof typeof values]);
    }
  }
}

/** An outcome that another release wrote in another form has no gauges. */
function setEvaluations(rows: { iteration: number; outcome: unknown }[]): void {
  for (const { iteration, outcome } of rows) {
    const { data } = evaluationSchema.safeParse(outcome);
    if (!data) continue;
    setScores(iteration, 'train', data.train);
    setScores(iteration, 'held_out', data.heldOut);
    if (data.rescored) setScores(iteration, 'rescored', data.rescored);
  }
}

/** Where the judge could not say there is nothing. */
function setReplies(rows: { iteration: number; outcome: unknown }[]): void {
  for (const { iteration, outcome } of rows) {
    const { data } = repliesSchema.safeParse(outcome);
    if (!data) continue;
    for (const [name, gauge] of Object.entries(gauges.replies)) {
      gauge.set({ iteration }, data[name as keyof typeof gauges.replies]);
    }
  }
}

function setScores(iteration: number, split: string, scores: PairScores): void {
  gauges.margin.set({ iteration, split }, scores.marginMean);
  gauges.marginQuantile.set({ iteration, split, quantile: '0.1' }, scores.marginP10);
  gauges.marginQuantile.set({ iteration, split, quantile: '0.5' }, scores.marginP50);
  gauges.marginQuantile.set({ iteration, split, quantile: '0.9' }, scores.marginP90);
  gauges.chosenReward.set({ iteration, split }, scores.chosenReward);
  gauges.rejectedReward.set({ iteration, split }, scores.rejectedReward);
  gauges.accuracy.set({ iteration, split }, scores.accuracy);
}

function setLatestPolicy([policy]: { number: number; createdAt: number }[]): void {
  if (!policy) return;
  gauges.policyNumber.set(policy.number);
  gauges.policyCreated.set(policy.createdAt);
}
