import { eld } from 'eld/small';

/** Writing systems that are told apart; Japanese counts as one. */
const SCRIPTS: [string, RegExp][] = [
  ['Latin', /\p{Script=Latin}/gu],
  ['Cyrillic', /\p{Script=Cyrillic}/gu],
  ['Greek', /\p{Script=Greek}/gu],
  ['Arabic', /\p{Script=Arabic}/gu],
  ['Hebrew', /\p{Script=Hebrew}/gu],
  ['Devanagari', /\p{Script=Devanagari}/gu],
  ['Thai', /\p{Script=Thai}/gu],
  ['Hangul', /\p{Script=Hangul}/gu],
  ['Japanese', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['Han', /\p{Script=Han}/gu],
];

/** Under this share of a text's letters Kana is a name or a quotation, not the language. */
const KANA_SHARE = 0.1;

/** The writing system of most letters; null for a text with hardly any. */
export function dominantScript(text: string): string | null {
  const counts = SCRIPTS.map(([name, pattern]) => ({ name, count: text.match(pattern)?.length ?? 0 }));
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  if (total < 3) return null;
  const kana = counts.find(({ name }) => name === 'Japanese')!.count;
  if (kana > total * KANA_SHARE) return 'Japanese';
  return counts.reduce((most, next) => (next.count > most.count ? next : most)).name;
}

/** The language of shorter texts is not told. */
const FEWEST_LETTERS = 30;
/** By so much a text must look more like its own language than like the other; code does not. */
const CLEARLY = 0.1;

/** Whether two texts are of one language, as far as that can be told. */
export function compareLanguages(text: string, other: string): 'same' | 'different' | 'unknown' {
  const [script, expected] = [dominantScript(text), dominantScript(other)];
  if (script === null || expected === null) return 'unknown';
  if (script !== expected) return 'different';
  if ([text, other].some((one) => (one.match(/\p{L}/gu)?.length ?? 0) < FEWEST_LETTERS)) return 'unknown';
  const [found, wanted] = [eld.detect(text), eld.detect(other)];
  if (!found.isReliable() || !wanted.isReliable()) return 'unknown';
  if (found.language === wanted.language) return 'same';
  const scores = found.getScores();
  return (scores[found.language] ?? 0) - (scores[wanted.language] ?? 0) > CLEARLY ? 'different' : 'unknown';
}
