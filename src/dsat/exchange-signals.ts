import type { Exchange } from './verdict.js';

/** Upper bounds of the bins of a length in UTF-16 units. */
const LENGTHS = [0, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

export function lengthBin(length: number): number {
  const bin = LENGTHS.findIndex((bound) => length <= bound);
  return bin < 0 ? LENGTHS.length : bin;
}

/** Nine bins of a share from 0 to 1; nothing and everything have bins of their own. */
export function shareBin(share: number): number {
  return share <= 0 ? 0 : share >= 1 ? 8 : 1 + Math.floor(share * 7);
}

/** Share of the distinct tokens of `of` that `set` has; 0 where there are none. */
export function containment(of: Set<number>, set: Set<number>): number {
  if (of.size === 0) return 0;
  let common = 0;
  for (const token of of) if (set.has(token)) common++;
  return common / of.size;
}

const CODE = '```';

export function hasCode(text: string): boolean {
  return text.includes(CODE);
}

/** Signs that a text quotes a failing program. */
const ERROR_SIGNS = [
  'error',
  'exception',
  'traceback',
  'undefined',
  'not defined',
  'cannot ',
  'failed',
  'warning',
  'invalid',
  'stack trace',
  'no such',
  'fehler',
  'erreur',
  'ошибк',
  '错误',
  'エラー',
  '에러',
  '오류',
];

/** How many of the signs a (lower-case) text holds, at most 3. */
export function errorSigns(text: string): number {
  let count = 0;
  for (const sign of ERROR_SIGNS) if (text.includes(sign) && ++count === 3) break;
  return count;
}

const APOLOGIES = [
  'sorry',
  'apolog',
  'lo siento',
  'disculp',
  'désolé',
  'entschuldig',
  'извин',
  '抱歉',
  '対不起',
  '申し訳',
  '죄송',
];

/** Whether the reply begins with an apology: the turn before it often was a complaint. */
export function apologises(reply: string): boolean {
  const head = reply.slice(0, 120).toLowerCase();
  return APOLOGIES.some((word) => head.includes(word));
}

/** Whether the reply seems to have been cut off: it ends in no mark that ends a sentence, a list or a block. */
export function cutOff(reply: string): boolean {
  return !/[.!?:)\]}"'`*|>。！？」]\s{0,20}$/.test(reply.slice(-40));
}

/** The exchange with every text a string, whatever a caller passed through. */
export type ExchangeText = Readonly<Exchange>;
