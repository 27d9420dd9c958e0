import { oneLine } from '../../harmless.js';

/** One line of at most `length` characters. */
export function excerpt(text: string, length: number): string {
  const line = oneLine(text);
  return line.length <= length ? line : `${line.slice(0, length - 1).trimEnd()}…`;
}

/** Rows of name, value and remark, aligned. */
export function table(rows: [string, string | number, string][]): string {
  const name = Math.max(...rows.map(([text]) => text.length));
  const value = Math.max(...rows.map(([, text]) => String(text).length));
  return rows.map(([a, b, c]) => `  ${a.padEnd(name)}  ${String(b).padStart(value)}  ${c}`.trimEnd()).join('\n');
}
