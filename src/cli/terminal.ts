import { harmless, oneLine } from '../harmless.js';

const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/u;
const graphemes = new Intl.Segmenter();

/** Cut to so many terminal columns, with an ellipsis where something is missing. */
export function truncate(text: string, columns: number): string {
  let kept = '';
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > columns) return `${dropLast(kept, columns - 1)}…`;
    kept += segment;
  }
  return kept;
}

function dropLast(text: string, columns: number): string {
  const segments = [...graphemes.segment(text)].map(({ segment }) => segment);
  while (segments.reduce((sum, segment) => sum + widthOf(segment), 0) > columns) segments.pop();
  return segments.join('');
}

const widthOf = (segment: string): number => (WIDE.test(segment) ? 2 : 1);

/** Aligned columns; the last one is cut where the terminal ends, and whole where the output is not a terminal. */
export function table(header: string[], rows: string[][], columns = process.stdout.columns): string {
  const cells = [header, ...rows.map((row) => row.map(oneLine))];
  const widths = header.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const lines = cells.map((row) =>
    row.map((cell, index) => (index === header.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  '),
  );
  return lines.map((line) => (columns ? truncate(line, columns) : line)).join('\n');
}

/** `name  value` lines; what is null is left out. */
export function fields(values: Record<string, string | number | null | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  const width = Math.max(...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${name.padEnd(width)}  ${harmless(String(value))}`).join('\n');
}

/** `2026-03-09 14:05`, UTC. */
export function minute(date: Date): string {
  return date.toISOString().slice(0, 16).replace('T', ' ');
}

/** `1 h 2 min`, `3 min 4 s`, `5 s`. */
export function duration(fromDate: Date, toDate: Date): string {
  const seconds = Math.round((toDate.getTime() - fromDate.getTime()) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** One JSON object a line. */
export function printJson(rows: unknown[]): void {
  for (const row of rows) console.log(JSON.stringify(row));
}
