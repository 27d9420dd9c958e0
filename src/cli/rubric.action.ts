import type { DataSource } from 'typeorm';
import type { Config } from '../config/config.js';
import type { JudgeSettings } from '../config/judge-keys.js';
import { DriftError } from '../drift-error.js';
import type { LabelledTurn } from '../dsat/evaluation/labelled-turn.js';
import { AnswerCache } from '../dsat/judge/answer-cache.js';
import { chooseTurns } from '../dsat/judge/choose-turns.js';
import { createJudgeClient } from '../dsat/judge/create-judge.js';
import { ExchangeJudge } from '../dsat/judge/exchange-judge.js';
import { learnItems } from '../dsat/judge/learn-rubric.js';
import { LEARNING_PROMPTS } from '../dsat/judge/learning-prompts.js';
import { measureRubric } from '../dsat/judge/measure-rubric.js';
import { DEFAULT_RUBRIC, type JudgeRubric, rubricVersion, UNFITTED } from '../dsat/judge/rubric.js';
import { listRubrics, type RubricRow, readRubric, type StoredRubric, storeRubric } from '../dsat/judge/rubric-store.js';
import { answersVersion, SCORING_PROMPT } from '../dsat/judge/scoring-prompt.js';
import { createPrivacy } from '../privacy/privacy.js';
import { Progress } from '../training/progress.js';
import { readLabelRecords } from './records/label-records.js';
import { fields, minute, printJson, table } from './terminal.js';
import { withData } from './with-data.js';

export interface LearnRubricOptions {
  labels: string;
  items: number;
  examples: number;
  measure: number;
  json?: boolean;
}
export type ListOptions = { json?: boolean };

export async function learn({ labels, json, ...options }: LearnRubricOptions): Promise<void> {
  const turns = readLabelRecords(labels);
  const rubric = await withData(async (dataSource, config) => {
    const learnt = await learnFrom(dataSource, config, judgeOf(config), turns, options);
    await storeRubric(dataSource, learnt);
    return learnt;
  });
  console.log(json ? JSON.stringify(rubric) : page(rubric));
}

function judgeOf({ judge }: Config): JudgeSettings {
  if (judge) return judge;
  throw new DriftError(
    'usage',
    'A rubric is learnt by a language model: set DRIFTLOOP_JUDGE_URL and DRIFTLOOP_JUDGE_MODEL.',
  );
}

async function learnFrom(
  dataSource: DataSource,
  config: Config,
  settings: JudgeSettings,
  turns: readonly LabelledTurn[],
  options: Omit<LearnRubricOptions, 'labels' | 'json'>,
): Promise<StoredRubric> {
  const { redactor, pseudonyms } = createPrivacy(config);
  const { examples, measured } = chooseTurns(turns, options, redactor);
  const client = createJudgeClient(dataSource, settings);
  const progress = new Progress((line) => console.error(line));
  progress.line(`learning from ${examples.length} examples by ${settings.model}`);
  const { items, learntFrom } = await learnItems(client, examples, {
    items: options.items,
    onProgress: (done) => progress.tick(() => `  ${done} of ${examples.length} examples read`),
  });
  progress.line(`measuring ${items.length} items on ${measured.length} turns`);
  const cache = new AnswerCache(dataSource, pseudonyms, answersVersion(settings.model, items));
  const judge = new ExchangeJudge({ client, rubric: { version: '', items, ...UNFITTED }, cache });
  const { calibration, decision, figures, ...counts } = await measureRubric(judge, items, measured, settings, (done) =>
    progress.tick(() => `  ${done} of ${measured.length} turns judged`),
  );
  const rubric: Omit<JudgeRubric, 'version'> = { items, calibration, decision };
  return {
    version: rubricVersion(rubric),
    ...rubric,
    model: settings.model,
    prompts: `${LEARNING_PROMPTS}, ${SCORING_PROMPT}`,
    learntFrom: { ...learntFrom, judged: counts.judged, unreadableWhenJudged: counts.unreadable },
    figures,
  };
}

export async function list({ json }: ListOptions): Promise<void> {
  const rubrics = await withData((dataSource) => listRubrics(dataSource));
  if (json) return printJson(rubrics);
  if (rubrics.length === 0) return console.error('no rubric was learnt: the built-in one is used');
  const rows = rubrics.map(({ version, createdAt, model, items, figures }) => [
    ...[version, minute(createdAt), String(items.length), accuracy(figures), model],
  ]);
  console.log(table(['version', 'learnt (UTC)', 'items', 'AP / F1 of dsat', 'model'], rows));
}

export async function show(version: string, { json }: ListOptions): Promise<void> {
  const rubric =
    version === 'default' ? DEFAULT_RUBRIC : await withData((dataSource) => readRubric(dataSource, version));
  if (json) return printJson([rubric]);
  console.log(page(rubric));
}

function page(rubric: JudgeRubric | StoredRubric | RubricRow): string {
  const stored = 'model' in rubric ? rubric : null;
  const facts = fields({
    version: rubric.version,
    model: stored?.model,
    'learnt from': stored && `${stored.learntFrom.dsat} dsat and ${stored.learntFrom.sat} sat examples`,
    'measured on': stored && `${stored.learntFrom.judged} other turns`,
    'AP / F1 of dsat': stored && accuracy(stored.figures),
  });
  const rows = rubric.items.map((item) => [item.id, item.kind === 'dsat' ? item.rubric : '', item.text]);
  return `${facts}\n\n${table(['item', 'reason', 'what the turn shows'], rows)}`;
}

function accuracy(figures: StoredRubric['figures']): string {
  if (figures === null) return 'too few turns to say';
  const { averagePrecision, f1 } = figures.dsat;
  return `${averagePrecision.toFixed(3)} / ${f1.toFixed(3)}`;
}
