import type { Exchange } from './verdict.js';

/** The tokens of an exchange's texts, as far as a stage reads them. */
export interface ExchangeTokens {
  prompt: Set<number>;
  reply: Set<number>;
  userTurn: Set<number>;
}

/**
 * What even the first stage can afford to see of how a turn relates to the prompt and the reply: small whole numbers,
 * each signal at its own place.
 * @param turn the user turn as it is read, lower case
 */
export function cheapSignals({ prompt, reply, userTurn }: Exchange, turn: string, tokens: ExchangeTokens): number[] {
  return [
    lengthBin(userTurn),
    lengthBin(prompt),
    lengthBin(reply),
    shareBin(containment(tokens.userTurn, tokens.prompt)),
    shareBin(containment(tokens.prompt, tokens.userTurn)),
    Number(prompt === userTurn),
    errorSigns(turn),
    Number(reply.includes(CODE)),
    Number(apologises(reply)),
    Number(turn.includes('?')),
    Number(turn.includes('!')),
  ];
}

/** What only the second stage looks at. */
export function costlySignals({ prompt, reply, userTurn }: Exchange, turn: string, tokens: ExchangeTokens): number[] {
  return [
    shareBin(containment(tokens.userTurn, tokens.reply)),
    shareBin(containment(tokens.reply, tokens.userTurn)),
    errorSigns(prompt.slice(0, 800).toLowerCase()),
    Number(userTurn.includes(CODE)),
    Number(isCutOff(reply)),
    capitals(userTurn.slice(0, 200)),
    1 + Math.sign(userTurn.length - prompt.length),
    Math.min(4, turn.split('\n').length),
  ];
}

/** Upper bounds of the bins of a length in UTF-16 units. */
const LENGTHS = [0, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

export function lengthBin({ length }: string): number {
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

/** Begins and ends a block of code. */
export const CODE = '```';

/** Signs that a text quotes a failing program. */
const ERROR_SIGNS = [
  ...['error', 'exception', 'traceback', 'undefined', 'not defined', 'cannot ', 'failed', 'warning', 'invalid'],
  ...['stack trace', 'no such', 'fehler', 'erreur', 'ошибк', '错误', 'エラー', '에러', '오류'],
];

/** How many of the signs a lower-case text holds, at most 3. */
export function errorSigns(text: string): number {
  let count = 0;
  for (const sign of ERROR_SIGNS) if (text.includes(sign) && ++count === 3) break;
  return count;
}

const APOLOGIES = [
  ...['sorry', 'apolog', 'lo siento', 'disculp', 'désolé', 'entschuldig'],
  ...['извин', '抱歉', '対不起', '申し訳', '죄송'],
];

/** Whether the reply begins with an apology: the turn before it often was a complaint. */
export function apologises(reply: string): boolean {
  const head = reply.slice(0, 120).toLowerCase();
  return APOLOGIES.some((word) => head.includes(word));
}

/** Whether the reply ends in no mark that ends a sentence, a list or a block. */
export function isCutOff(reply: string): boolean {
  return !/[.!?:)\]}"'`*|>。！？」]$/.test(reply.slice(-40).trimEnd());
}

/** Share of the Latin letters that are capitals, in quarters; 9 where there is no such letter. */
function capitals(text: string): number {
  let upper = 0;
  let lower = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x41 && unit <= 0x5a) upper++;
    else if (unit >= 0x61 && unit <= 0x7a) lower++;
  }
  return upper + lower === 0 ? 9 : Math.round((4 * upper) / (upper + lower));
}
