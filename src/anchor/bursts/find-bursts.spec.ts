import { describe, expect, it } from 'vitest';
import { BURST_WINDOW_MS, type Complaint, findBursts } from './find-bursts.js';
import { fingerprintOf } from './read-complaints.js';

const NOW = Date.UTC(2026, 0, 5);
const LONG = 'you should have recommended the other product because it is so much better than yours';

interface Said {
  feedback: string;
  rejected?: string;
  conversationId?: string;
  occurredAt?: number;
}

/** Each is another conversation's, unless it says which. */
function complaints(prefix: string, said: Said[]): Complaint[] {
  return said.map(({ feedback, rejected, conversationId, occurredAt = NOW }, index) => {
    const id = `${prefix}-${String(index).padStart(4, '0')}`;
    const exchange = fingerprintOf(`${feedback} ${rejected ?? distinct(prefix, index)}`);
    return { id, conversationId: conversationId ?? id, occurredAt, feedback: fingerprintOf(feedback), exchange };
  });
}
const distinct = (prefix: string, index: number) =>
  Array.from({ length: 20 }, (_, word) => `${prefix}${index}word${word}`).join(' ');
const times = (count: number, said: (index: number) => Said) =>
  Array.from({ length: count }, (_, index) => said(index));
const innocent = (count: number) =>
  complaints(
    'i',
    times(count, (index) => ({ feedback: distinct('f', index) })),
  );
/** Others that only count. */
const wordless = (count: number): Complaint[] => {
  const fingerprint = { words: 0, signature: new Int32Array() };
  const one = { occurredAt: NOW, feedback: fingerprint, exchange: fingerprint };
  return Array.from({ length: count }, (_, index) => ({ ...one, id: `n-${index}`, conversationId: `n-${index}` }));
};
const flood = (count: number, more: (index: number) => Partial<Said> = () => ({})) =>
  complaints(
    'b',
    times(count, (index) => ({ feedback: `${LONG} ${index}`, ...more(index) })),
  );

describe('feedback that is nearly the same', () => {
  it('is a burst from ten conversations on', () => {
    expect(findBursts([...innocent(50), ...flood(9)])).toEqual([]);
    const all = [...innocent(50), ...flood(10)];
    const [burst, ...others] = findBursts(all);
    expect(others).toEqual([]);
    expect(burst).toMatchObject({ alike: 'feedback', conversations: 10 });
    expect(burst!.ids).toEqual(flood(10).map(({ id }) => id));
    expect(findBursts(all.toReversed())).toEqual([burst]);
  });

  it('is none where one conversation says it again and again', () => {
    expect(findBursts(flood(40, (index) => ({ conversationId: `c${index % 9}` })))).toEqual([]);
  });

  it('is none where it is spread over time, and only the part that is not spread is one', () => {
    const daily = flood(40, (index) => ({ occurredAt: NOW + (index * BURST_WINDOW_MS) / 8 }));
    expect(findBursts(daily)).toEqual([]);
    const [burst] = findBursts(flood(40, (index) => ({ occurredAt: NOW + Math.max(0, index - 19) * BURST_WINDOW_MS })));
    expect(burst!.ids).toEqual(flood(20).map(({ id }) => id));
  });

  it('is none where so many complain that ten of them are few', () => {
    expect(findBursts([...wordless(11_000), ...flood(10)])).toEqual([]);
    expect(findBursts([...wordless(11_000), ...flood(12)])).toHaveLength(1);
  });
});

describe('short feedback', () => {
  const short = (count: number) =>
    complaints(
      's',
      times(count, () => ({ feedback: 'that is wrong' })),
    );

  it('repeats innocently, until it is a tenth of everything and from fifty conversations', () => {
    expect(findBursts(short(49))).toEqual([]);
    expect(findBursts([...wordless(600), ...short(60)])).toEqual([]);
    expect(findBursts([...wordless(400), ...short(60)])).toMatchObject([
      { alike: 'short-feedback', conversations: 60 },
    ]);
  });

  it('is a burst with the same reply from twenty conversations on', () => {
    const same = (count: number) =>
      complaints(
        'e',
        times(count, () => ({ feedback: 'no', rejected: distinct('reply', 0) })),
      );
    expect(findBursts([...innocent(100), ...same(19)])).toEqual([]);
    expect(findBursts([...innocent(100), ...same(20)])).toMatchObject([{ alike: 'exchange', conversations: 20 }]);
  });
});

it('looks only at windows that end at the given time or later', () => {
  const early = flood(20);
  expect(findBursts(early, NOW + 1)).toEqual([]);
  const late = complaints('late', [{ feedback: LONG, occurredAt: NOW + 1 }]);
  expect(findBursts([...early, ...late], NOW + 1)[0]!.ids).toHaveLength(21);
});

it('puts an anchor into one burst', () => {
  const all = flood(60, () => ({ rejected: distinct('reply', 0) }));
  expect(findBursts(all)).toMatchObject([{ alike: 'feedback', conversations: 60 }]);
});
