import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { DriftError } from '../../drift-error.js';
import type { Figures } from '../evaluation/figures.js';
import { DEFAULT_RUBRIC, type JudgeRubric, rubricItemSchema } from './rubric.js';

/** A rubric with where it came from and how right a model judges by it. */
export interface StoredRubric extends JudgeRubric {
  /** Of the model that it was learnt and measured with. */
  model: string;
  prompts: string;
  learntFrom: Record<string, number>;
  /** On labels that it was not learnt from; null where there were too few. */
  figures: Figures | null;
}

export type RubricRow = StoredRubric & { createdAt: Date };

const rowSchema = z.object({
  version: z.string(),
  items: z.array(rubricItemSchema).min(1),
  calibration: z.object({ scale: z.number(), shift: z.array(z.number()) }),
  decision: z.object({ dsat: z.number(), sat: z.number() }),
  model: z.string(),
  prompts: z.string(),
  learntFrom: z.record(z.string(), z.number()),
  figures: z.custom<Figures | null>(),
  createdAt: z.date(),
});

const SELECT = `SELECT version, items, calibration, decision, model, prompts, learnt_from AS "learntFrom", figures,
  created_at AS "createdAt" FROM judge_rubrics`;

/** Learning the same again changes nothing. */
export async function storeRubric(dataSource: DataSource, rubric: StoredRubric): Promise<void> {
  const { version, model, prompts, items, calibration, decision, learntFrom, figures } = rubric;
  await dataSource.query(
    `INSERT INTO judge_rubrics (version, model, prompts, items, calibration, decision, learnt_from, figures)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (version) DO NOTHING`,
    [
      version,
      model,
      prompts,
      ...[items, calibration, decision, learntFrom, figures].map((value) => JSON.stringify(value)),
    ],
  );
}

/** The latest first. */
export async function listRubrics(dataSource: DataSource): Promise<RubricRow[]> {
  return z.array(rowSchema).parse(await dataSource.query(`${SELECT} ORDER BY created_at DESC, version`));
}

/** @throws DriftError `not-found` */
export async function readRubric(dataSource: DataSource, version: string): Promise<RubricRow> {
  const [row] = await dataSource.query<unknown[]>(`${SELECT} WHERE version = $1`, [version]);
  if (row) return rowSchema.parse(row);
  const message = `No rubric is called ${version}; \`driftloop rubric list\` shows those that there are.`;
  throw new DriftError('not-found', message);
}

/** What the judge goes by: the rubric learnt last, else the one that the code has. */
export async function currentRubric(dataSource: DataSource): Promise<JudgeRubric> {
  const [row] = await dataSource.query<unknown[]>(`${SELECT} ORDER BY created_at DESC, version LIMIT 1`);
  return row ? rowSchema.parse(row) : DEFAULT_RUBRIC;
}
