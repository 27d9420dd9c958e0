/** PostgreSQL's own number of the type `text`. */
const TEXT_OID = 25;
/** Dimensions, whether there are nulls, the type, the length, and the first index: 4 bytes each. */
const HEADER_BYTES = 20;

/**
 * A parameter `text[]` in PostgreSQL's binary form: neither side quotes, escapes or scans the texts. They have to be
 * well-formed.
 */
export function textArray(texts: readonly (string | null)[]): Buffer {
  const sizes = texts.map((text) => (text === null ? 0 : Buffer.byteLength(text)));
  const array = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 4 + size, HEADER_BYTES));
  let at = 0;
  for (const field of [1, Number(texts.includes(null)), TEXT_OID, texts.length, 1]) at = array.writeInt32BE(field, at);
  for (const [index, text] of texts.entries()) {
    at = array.writeInt32BE(text === null ? -1 : sizes[index]!, at);
    if (text !== null) at += array.write(text, at);
  }
  return array;
}
