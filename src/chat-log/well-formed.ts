/** Escapes in JSON text that may stand for what PostgreSQL cannot hold: NUL and surrogates. */
const SUSPECT = /\\u(?:0000|d[89a-f])/i;

/** What PostgreSQL puts in a text: no NUL, no lone surrogate; each is replaced by U+FFFD. */
export function wellFormed(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/** Parses JSON whose strings are then well-formed; says whether one had to be changed. @throws SyntaxError */
export function parseWellFormed(json: string): { value: unknown; changed: boolean } {
  const value: unknown = JSON.parse(json);
  if (!SUSPECT.test(json)) return { value, changed: false };
  let changed = false;
  const repair = (text: string) => {
    const repaired = wellFormed(text);
    changed ||= repaired !== text;
    return repaired;
  };
  return { value: mapStrings(value, repair), changed };
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [map(key), mapStrings(item, map)]));
}

/** ASCII that JSON may write as an escape. */
const ESCAPED = /\\u00([2-7][0-9a-f])/gi;

/** JSON text in which nothing hides behind an escape; quotes and backslashes stay escaped. */
export function unescaped(json: string): string {
  return json.replace(ESCAPED, (written, hex: string) =>
    hex === '22' || hex.toLowerCase() === '5c' ? written : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
