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
