import type { DataSource } from 'typeorm';
import type { JudgeSettings } from '../../config/judge-keys.js';
import { DriftError } from '../../drift-error.js';
import { createJudgeClient } from '../judge/create-judge.js';
import { loadReplyJudge } from './embedded-reply-judge.js';
import { LlmReplyJudge } from './llm-reply-judge.js';
import type { ReplyJudge } from './reply-judge.js';

/** @throws DriftError `usage` where a language model is asked for and none is configured */
export function createReplyJudge(
  dataSource: DataSource,
  kind: 'embedded' | 'llm',
  settings: JudgeSettings | undefined,
): ReplyJudge {
  if (kind === 'embedded') return loadReplyJudge();
  if (settings) return new LlmReplyJudge(createJudgeClient(dataSource, settings));
  throw new DriftError('usage', 'The reply judge `llm` needs DRIFTLOOP_JUDGE_URL and DRIFTLOOP_JUDGE_MODEL.');
}
