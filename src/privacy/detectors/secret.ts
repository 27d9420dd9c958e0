import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import type { SecretLintRuleCreator, SecretLintSourceCode } from '@secretlint/types';
import { allMatches } from '../all-matches.js';
import type { Span } from '../span.js';
import { longWords } from './long-words.js';

/** Rules that read files (a key store, comments that switch rules off), or find what is not secret (`AWSAccountID`). */
const LEFT_OUT = new Set(['@secretlint/secretlint-rule-gcp', '@secretlint/secretlint-rule-filter-comments']);
const NOT_SECRET = new Set(['AWSAccountID']);

let found: Span[] = [];
const handlers = (rules as SecretLintRuleCreator[])
  .filter(({ meta }) => !LEFT_OUT.has(meta.id))
  .map((rule) =>
    rule.create(
      {
        sharedOptions: {},
        createTranslator: () => (messageId: unknown) =>
          ({ message: '', messageId: String(messageId), data: {} }) as never,
        report: ({ message, range: [start, end] }) => {
          if (!NOT_SECRET.has(String(message.messageId))) found.push({ start, end });
        },
        ignore: () => {},
      },
      {},
    ),
  );

/** A part of every text in which a rule of secretlint can find something. */
const HINT =
  /A3T|A[KGIRN][IPDON][A-Z]A?|ASIA|ccess_?[Kk]ey|CCESS_?KEY|npm_|x-oauth-basic|:\/\/[^\s/:@]{1,256}:[^\s/]{1,256}@|xox[abpor]-|xapp-|hooks\.slack|sk-|lin_api_|PRIVATE KEY|SG\.\w|shp(?:pa|ca|at|ss)_|gh[pousr]_|github_pat_|ops_ey/;

/** Tokens that say by their form what they are and that secretlint's rules do not know. */
const TOKEN =
  /(?<![\w-])(?:eyJ[\w-]{13,}\.eyJ[\w-]{8,}\.[\w-]{8,}|sk-(?:[a-z]{2,8}-)?[\w-]{20,200}|[srp]k_(?:live|test)_\w{16,200}|AIza[\w-]{35}|hf_[A-Za-z0-9]{30,40}|gl(?:pat|ptt|dt)-[\w-]{20,50}|ya29\.[\w-]{20,300})(?![\w-])/g;

/** A name that announces a secret, and the value given to it. */
const LABELLED =
  /(?<!public[_ -]?key[_ -]?)(?:pass(?:word|wort|wd|phrase|code)?|contraseña|mot de passe|pwd|secret|token|api[_ -]?key|access[_ -]?key|auth[_ -]?key|private[_ -]?key|client[_ -]?secret)["']?[ \t]{0,3}(?:[:=]|=>|:=|\bis\b|\bwas\b)[ \t]{0,3}(["'`]?)([^\s"'`,;<>(){}[\]$]{6,200})(?=\1|[\s,;.]|$)/gi;
const BEARER = /\b(?:Bearer|Basic) +([A-Za-z0-9+/._~-]{16,2000}={0,2})/g;

/** What a token begins with, and how long the run of letters, digits, `_` and `-` is at least in which it does. */
const PREFIX =
  /A3T|A[KGIRN][IPDON][A-Z]A?|ASIA|npm_|sk-|lin_api_|shp(?:pa|ca|at|ss)_|gh[pousr]_|github_pat_|ops_ey|eyJ|[srp]k_(?:live|test)_|AIza|hf_|gl(?:pat|ptt|dt)-/;
const SHORTEST_TOKEN = 16;
/** Of the secrets that do not begin with one of these prefixes; rare, and quickly looked for. */
const MARKS = ['PRIVATE KEY', 'x-oauth-basic', 'xox', 'xapp-', 'SG.', 'ya29.', 'hooks.slack'];
const ACCESS_KEY = /access_?key/i;

/** A value with a digit after a separator, and what the labels are made of: a text without both has no labelled secret. */
const VALUE = /(?:[:=]|\bis\b|\bwas\b)[ \t]{0,3}["'`]?(?=[^\s"'`,;<>(){}[\]$\d]{0,199}\d)[^\s"'`,;<>(){}[\]$]{6}/i;
const LABEL = /pass|contrase|pwd|secret|token|key/i;

/** Keys and tokens, by the rules of secretlint and the forms above; of `password: …` the value only. */
export function findSecrets(text: string): Span[] {
  const spans: Span[] = [];
  if (mayHoldToken(text)) {
    if (HINT.test(text)) spans.push(...ruled(text));
    for (const match of allMatches(text, TOKEN)) if (looksRandom(match[0])) spans.push(endOf(match, match[0]));
  }
  if (text.includes('Bearer ') || text.includes('Basic ')) {
    for (const match of allMatches(text, BEARER)) if (looksRandom(match[1]!)) spans.push(endOf(match, match[1]!));
  }
  if (VALUE.test(text) && LABEL.test(text)) spans.push(...labelled(text));
  return spans.sort((a, b) => a.start - b.start);
}

/** Cheap and generous: most texts end here. */
function mayHoldToken(text: string): boolean {
  if (MARKS.some((mark) => text.includes(mark)) || ACCESS_KEY.test(text)) return true;
  if (text.includes('://') && text.includes('@')) return true;
  return longWords(text, SHORTEST_TOKEN, (word) => PREFIX.test(word));
}

function labelled(text: string): Span[] {
  return allMatches(text, LABELLED).flatMap((match) => {
    const value = match[1] ? match[2]! : match[2]!.replace(/[.!?]+$/, '');
    return looksChosen(value, match[1]!) ? [endOf(match, match[2]!, value)] : [];
  });
}

/** The rules work in one go: what they report is there when they return. */
function ruled(text: string): Span[] {
  found = [];
  const source = { content: text, contentType: 'text', filePath: undefined, ext: '', hasBOM: false } as unknown;
  for (const { file } of handlers) void file?.(source as SecretLintSourceCode);
  return found;
}

function endOf(match: RegExpExecArray, group: string, kept = group): Span {
  const start = match.index + match[0].length - group.length;
  return { start, end: start + kept.length };
}

const looksRandom = (value: string) => /\d/.test(value) && /[a-z]/i.test(value);

/** A password rather than the name of a variable, a call or a path: letters and digits, and not the form of a name. */
function looksChosen(value: string, quote: string): boolean {
  if (!looksRandom(value) || STAND_IN.test(value) || CONSTANT.test(value)) return false;
  return quote !== '' || !NAME.test(value);
}

const STAND_IN = /^(?:your|my|the|some|an?|example|dummy|%[sd]|https?:)[_\-:/]|x{4}|\.\.\./i;
const CONSTANT = /^[A-Z][A-Z0-9]*(?:\\?_[A-Z0-9]+)+$/;
/** `hashlib.sha256`, `secret_1`, `token2`, `a/b1`. */
const NAME = /^[a-z_]\w*(?:(?:\.|->|::|\/)[\w\\]+)+$|^[a-z]+_?\d$/i;
