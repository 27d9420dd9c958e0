import type { SampleSettings } from '../../training/engine/training-engine.js';
import type { Draft } from './draft.js';
import type { Native, NativeSession } from './native-session.js';
import { sampleToken } from './sample-token.js';

export interface NextToken {
  id: number;
  /** Natural logarithm of its probability under the model itself: before penalty, temperature and truncation. */
  logprob: number;
}

/**
 * Draws the next token of each draft from its row of logits.
 * @param logits [rows, vocab]; the row of a null draft is left alone
 */
export function nextTokens(
  session: NativeSession,
  logits: Native,
  drafts: readonly (Draft | null)[],
  settings: SampleSettings,
): (NextToken | null)[] {
  const { temperature, repetitionPenalty = 1 } = settings;
  const vocab = logits.shape[1]!;
  const plain = { values: session.readFloats(logits), logSums: logSums(session, logits, 1) };
  const chosenFrom = repetitionPenalty === 1 ? logits : penalised(session, logits, drafts, repetitionPenalty);
  const values = chosenFrom === logits ? plain.values : session.readFloats(chosenFrom);
  const maxima = session.readFloats(session.reduce('Max', chosenFrom));
  const same = temperature === 0 || (temperature === 1 && chosenFrom === logits);
  const scaled = same ? plain.logSums : logSums(session, chosenFrom, temperature);
  return drafts.map((draft, row) => {
    if (draft === null) return null;
    const [start, end] = [row * vocab, (row + 1) * vocab];
    const logitRow = { logits: values.subarray(start, end), max: maxima[row]!, logSum: scaled[row]! };
    const id = sampleToken(logitRow, settings, draft.random());
    return { id, logprob: plain.values[start + id]! - plain.logSums[row]! };
  });
}

/** log of the sum of exp(logit / temperature), by row. */
function logSums(session: NativeSession, logits: Native, temperature: number): Float32Array {
  const scaled = temperature === 1 ? logits : session.mul(logits, session.scalar(1 / temperature));
  const max = session.reduce('Max', scaled);
  const sum = session.reduce('Sum', session.call('Exp', [session.sub(scaled, max)]));
  return session.readFloats(session.add(max, session.call('Log', [sum])));
}

/** What prompt and completion hold already is divided by the penalty, or multiplied where it is below zero. */
function penalised(session: NativeSession, logits: Native, drafts: readonly (Draft | null)[], penalty: number): Native {
  const places = drafts.flatMap((draft, row) =>
    draft === null ? [] : [...new Set([...draft.request.promptIds, ...draft.ids])].flatMap((id) => [row, id]),
  );
  const indices = session.ints(Int32Array.from(places), [places.length / 2, 2]);
  const seen = session.call('GatherNd', [logits, indices]);
  const positive = session.call('Greater', [seen, session.scalar(0)]);
  const divided = session.call('RealDiv', [seen, session.scalar(penalty)]);
  const changed = session.call('SelectV2', [positive, divided, session.mul(seen, session.scalar(penalty))]);
  return session.call('TensorScatterUpdate', [logits, indices, changed]);
}
