import { readAnchorCases } from '../anchor/anchor-read.js';
import { DriftError } from '../drift-error.js';
import type { ReplyPair } from '../dsat/reply-judge/reply-judge.js';
import type { RepliesOutcome } from './outcomes.js';
import type { RunContext } from './run-context.js';
import { mean } from './statistics.js';
import type { PairRow } from './store/pair-row.js';

/** Enough for a share, and few enough for a language model. */
const MOST_PAIRS = 256;

/**
 * What the reply judge expects of the pairs: how often chosen is better than rejected (the theory's rate of improvement,
 * arXiv 2510.02341), and how probably each displeases. Null where no pair can be judged, or the judge cannot.
 */
export async function judgeReplies(context: RunContext, rows: readonly PairRow[]): Promise<RepliesOutcome | null> {
  const { replyJudge, progress } = context;
  const pairs = await replyPairs(context, rows.slice(0, MOST_PAIRS));
  if (pairs.length === 0) return null;
  try {
    const preferences = await replyJudge.prefer(pairs);
    const of = (side: 'first' | 'second') => pairs.map(({ [side]: reply, ...rest }) => ({ ...rest, reply }));
    return {
      judge: replyJudge.version,
      pairs: pairs.length,
      improved: preferences.filter((preference) => preference === 'first').length / pairs.length,
      chosenDispleases: mean(await replyJudge.score(of('first'))),
      rejectedDispleases: mean(await replyJudge.score(of('second'))),
    };
  } catch (error) {
    if (!(error instanceof DriftError && error.code.startsWith('judge-'))) throw error;
    progress.line(`  the replies are not judged: ${error.message}`);
    return null;
  }
}

/** Chosen first, rejected second; with what the user said of the rejected one. */
async function replyPairs({ dataSource }: RunContext, rows: readonly PairRow[]): Promise<ReplyPair[]> {
  const cases = await readAnchorCases(dataSource, { ids: rows.map(({ anchorId }) => anchorId) });
  const byId = new Map(cases.map((anchor) => [anchor.id, anchor]));
  return rows.flatMap(({ anchorId, chosen, rejected }) => {
    const anchor = byId.get(anchorId);
    const prompt = anchor?.prompt.findLast(({ role }) => role === 'user');
    if (!anchor || !prompt) return [];
    return [{ prompt: prompt.content, first: chosen, second: rejected, feedback: anchor.feedback ?? undefined }];
  });
}
