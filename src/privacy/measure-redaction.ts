import type { Redactor } from './redaction.js';
import { REDACTION_KINDS, type RedactionKind } from './redaction-settings.js';

/** A text and what is to be found in it. */
export interface MarkedText {
  text: string;
  spans: { kind: RedactionKind; start: number; end: number }[];
}

export interface RedactionFigures {
  marked: number;
  /** Of what is marked, what was taken out whole, under whatever placeholder. */
  recall: number;
  found: number;
  /** Of what was found under the kind, what is marked with it. */
  precision: number;
}

/** How well a redactor does on marked texts, by kind. */
export function measureRedaction(
  redactor: Redactor,
  texts: readonly MarkedText[],
): Record<RedactionKind, RedactionFigures> {
  const seen = texts.map(({ text, spans }) => ({ spans, found: redactor.find(text) }));
  const figures = REDACTION_KINDS.map((kind) => {
    const marked = seen.flatMap(({ spans, found }) =>
      spans.filter((span) => span.kind === kind).map((span) => ({ span, found })),
    );
    const hit = marked.filter(({ span, found }) => isCovered(span, found));
    const claims = seen.flatMap(({ spans, found }) =>
      found.filter((claim) => claim.kind === kind).map((claim) => ({ claim, spans })),
    );
    const right = claims.filter(({ claim, spans }) =>
      spans.some((span) => span.kind === kind && span.start < claim.end && claim.start < span.end),
    );
    const share = (part: unknown[], whole: unknown[]) => (whole.length === 0 ? 1 : part.length / whole.length);
    return [
      kind,
      { marked: marked.length, recall: share(hit, marked), found: claims.length, precision: share(right, claims) },
    ] as const;
  });
  return Object.fromEntries(figures) as Record<RedactionKind, RedactionFigures>;
}

function isCovered(span: { start: number; end: number }, found: { start: number; end: number }[]): boolean {
  return found.some(({ start, end }) => start <= span.start && span.end <= end);
}
