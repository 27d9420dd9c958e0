import type { DataSource } from 'typeorm';
import type { Config } from '../../config/config.js';
import type { JudgeSettings } from '../../config/judge-keys.js';
import { setDailyTokens } from '../../metrics/judge-metrics.js';
import { createPrivacy } from '../../privacy/privacy.js';
import { requireOwnKey } from '../../privacy/require-own-key.js';
import { registerClassifier } from '../classifier-version.js';
import { DailyBudget } from '../llm/daily-budget.js';
import { JudgeClient } from '../llm/judge-client.js';
import type { Classifier } from '../verdict.js';
import { AnswerCache } from './answer-cache.js';
import { ExchangeJudge } from './exchange-judge.js';
import { JudgedStage } from './judged-stage.js';
import { currentRubric } from './rubric-store.js';
import { answersVersion, judgeVersion, SCORING_PROMPT } from './scoring-prompt.js';

export function createJudgeClient(dataSource: DataSource, settings: JudgeSettings): JudgeClient {
  setDailyTokens(settings.dailyTokens);
  return new JudgeClient({ settings, budget: new DailyBudget(dataSource, settings.dailyTokens) });
}

export type JudgeConfig = Pick<Config, 'judge' | 'privacyKey' | 'stateDir' | 'redaction'>;

/** The stage, with the configured judge for what it is unsure of. The rubric is the one that is stored now. */
export async function withJudge(dataSource: DataSource, config: JudgeConfig, stage: Classifier): Promise<Classifier> {
  if (!config.judge) return stage;
  const { pseudonyms } = createPrivacy(config);
  await requireOwnKey(dataSource, pseudonyms);
  const rubric = await currentRubric(dataSource);
  const version = judgeVersion(config.judge.model, rubric);
  const client = createJudgeClient(dataSource, config.judge);
  const cache = new AnswerCache(dataSource, pseudonyms, answersVersion(config.judge.model, rubric.items));
  const judged = new JudgedStage(stage, new ExchangeJudge({ client, rubric, cache }), version);
  await registerClassifier(dataSource, {
    version: judged.version,
    kind: 'a language model for what the classifier is unsure of',
    classifier: stage.version,
    model: config.judge.model,
    prompt: SCORING_PROMPT,
    rubric,
  });
  return judged;
}
