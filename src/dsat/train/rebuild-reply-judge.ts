import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CorpusConversation } from '../../chat-log/sharegpt-corpus.js';
import { REPLY_JUDGE_FILE, replyJudgeVersion } from '../reply-judge/embedded-reply-judge.js';
import { encodeStage } from '../stage-model.js';
import type { LabelledExchange } from './labelled-exchanges.js';
import { labelledReplies, trainReplyJudge } from './reply-judge.js';
import { replyJudgePage } from './reply-judge-page.js';

const WEIGHTS = 'src/dsat/weights';
const PAGE = 'docs/reply-judge.md';

/** Writes the reply judge's weights and its page into the checkout. The same labels give the same bytes. */
export async function rebuildReplyJudge(turns: LabelledExchange[], corpus: CorpusConversation[]): Promise<void> {
  const { model, ...measured } = trainReplyJudge(labelledReplies(turns, corpus));
  const bytes = encodeStage(model);
  await writeFile(join(WEIGHTS, REPLY_JUDGE_FILE), bytes);
  await writeFile(PAGE, replyJudgePage({ ...measured, version: replyJudgeVersion(bytes), bytes: bytes.length }));
}
