const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

/** Text of users may hold escape sequences: nothing of it may steer the terminal. Line breaks stay. */
export function harmless(text: string): string {
  return text.replace(CONTROL, (character) => (character === '\n' || character === '\u200d' ? character : ' '));
}

export function oneLine(text: string): string {
  return harmless(text).replace(/\s+/g, ' ').trim();
}
