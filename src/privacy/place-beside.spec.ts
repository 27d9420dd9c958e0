import { describe, expect, it } from 'vitest';
import { uniform } from '../seeds.js';
import { type Found, placeBeside } from './place-beside.js';
import { REDACTION_KINDS, type RedactionKind } from './redaction-settings.js';
import type { Span } from './span.js';

type Detected = readonly { kind: RedactionKind; spans: readonly Span[] }[];

const placeAll = (detected: Detected) =>
  detected.reduce<Found[]>((before, { kind, spans }) => placeBeside(before, kind, spans), []);

/** The definition: each span is held against all that were kept before it. */
function placeAllByDefinition(detected: Detected): Found[] {
  const all: Found[] = [];
  for (const { kind, spans } of detected) {
    const earlier = all.length;
    for (const span of spans) {
      const taken = all.some(({ start, end }, index) => index < earlier && span.start < end && start < span.end);
      const last = all.at(-1);
      const repeats = last?.kind === kind && span.start < last.end;
      if (!taken && !repeats) all.push({ kind, ...span });
    }
  }
  return all.sort((a, b) => a.start - b.start);
}

function randomSpans(random: () => number): Span[] {
  const below = (limit: number) => Math.floor(random() * limit);
  const longest = 1 + below(12);
  const spans = Array.from({ length: below(14) }, () => {
    const start = below(60);
    return { start, end: start + 1 + below(longest) };
  });
  return spans.sort((a, b) => a.start - b.start);
}

/** Counts how often a span of it is looked at. */
function counting<T>(items: readonly T[], count: () => void): readonly T[] {
  return new Proxy(items, {
    get(target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) count();
      return Reflect.get(target, name);
    },
  });
}

describe('the spans of the kinds', () => {
  it('are placed as the definition has it', () => {
    for (let seed = 0; seed < 5_000; seed++) {
      const random = uniform(seed);
      const detected = REDACTION_KINDS.map((kind) => ({ kind, spans: randomSpans(random) }));
      expect(placeAll(detected), `seed ${seed}`).toEqual(placeAllByDefinition(detected));
    }
  });

  it('are each looked at a few times, however many there are', () => {
    const many = (from: number) =>
      Array.from({ length: 50_000 }, (_, index) => ({ start: from + 10 * index, end: from + 10 * index + 6 }));
    let looks = 0;
    const count = () => looks++;
    const before = placeBeside([], 'email', many(0));
    const placed = placeBeside(counting(before, count), 'phone', counting(many(3), count));
    expect(placed).toEqual(before);
    expect(looks).toBeLessThan(10 * 50_000);
  });
});
