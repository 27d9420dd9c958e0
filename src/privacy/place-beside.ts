import type { RedactionKind } from './redaction-settings.js';
import type { Span } from './span.js';

export interface Found extends Span {
  kind: RedactionKind;
}

/**
 * Puts a kind's spans between those of the kinds that won before it, in the order of the text; what overlaps one of them, or
 * the span of its own kind before it, is left out.
 * @param before in order, without overlaps
 * @param spans in order of their starts
 */
export function placeBeside(before: readonly Found[], kind: RedactionKind, spans: readonly Span[]): Found[] {
  const placed: Found[] = [];
  let next = 0;
  let placedUpTo = 0;
  for (const { start, end } of spans) {
    for (; next < before.length && before[next]!.end <= start; next++) placed.push(before[next]!);
    const taken = next < before.length && before[next]!.start < end;
    if (taken || start < placedUpTo) continue;
    placed.push({ kind, start, end });
    placedUpTo = end;
  }
  for (; next < before.length; next++) placed.push(before[next]!);
  return placed;
}
