/** Of units under 0x80: letters, digits, `_` and `-`. */
const IN_WORD = Uint8Array.from({ length: 0x80 }, (_, unit) => Number(/[\w-]/.test(String.fromCharCode(unit))));

const isInWord = (unit: number) => unit < 0x80 && IN_WORD[unit] === 1;

/**
 * Whether `matches` is true of a run of at least `shortest` ASCII letters, digits, `_` and `-`. It looks at the unit where
 * so long a run would have to end and then backwards, so that it skips most of a text of common words.
 */
export function longWords(text: string, shortest: number, matches: (word: string) => boolean): boolean {
  let start = 0;
  while (start + shortest <= text.length) {
    let at = start + shortest - 1;
    while (at >= start && isInWord(text.charCodeAt(at))) at--;
    if (at >= start) start = at + 1;
    else {
      let end = start + shortest;
      while (end < text.length && isInWord(text.charCodeAt(end))) end++;
      if (matches(text.slice(start, end))) return true;
      start = end + 1;
    }
  }
  return false;
}
