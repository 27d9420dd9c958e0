import type { Sample, SampleRequest, SampleSettings } from '../../training/engine/training-engine.js';
import { seededRandom } from '../random.js';

/** A sequence that is being written. */
export interface Draft {
  request: SampleRequest;
  random: () => number;
  ids: number[];
  logprobs: number[];
  maxNewTokens: number;
  finish: Sample['finish'] | null;
}

/** What ends a sequence before its limit. */
export interface Ends {
  eosIds: readonly number[];
  stopIds: readonly number[];
  stopStrings: readonly string[];
  decode(ids: readonly number[]): string;
}

export function startDraft(request: SampleRequest, { maxNewTokens }: SampleSettings): Draft {
  const limit = request.maxNewTokens ?? maxNewTokens;
  return { request, random: seededRandom(request.seed), ids: [], logprobs: [], maxNewTokens: limit, finish: null };
}

/** Adds a token, and says how the draft ended if it did. */
export function extend(draft: Draft, token: { id: number; logprob: number }, ends: Ends): void {
  draft.ids.push(token.id);
  draft.logprobs.push(token.logprob);
  if (ends.eosIds.includes(token.id)) draft.finish = 'eos';
  else if (ends.stopIds.includes(token.id) || endsInStopString(draft.ids, ends)) draft.finish = 'stop';
  else if (draft.ids.length >= draft.maxNewTokens) draft.finish = 'length';
}

/** Whether the last token completed one; a character takes four tokens at most, so that a short tail is enough. */
function endsInStopString(ids: readonly number[], { stopStrings, decode }: Ends): boolean {
  if (stopStrings.length === 0) return false;
  const longest = Math.max(...stopStrings.map(({ length }) => length));
  const tail = decode(ids.slice(-4 * (longest + 1)));
  return stopStrings.some((text) => tail.includes(text));
}
