import { expect, it } from 'vitest';
import { as, decode, VALID_RECORDS } from '../../test/factories/records.js';
import { FORMATS } from './formats/registry.js';

const MUTANTS = 400;

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

const STRANGE: unknown[] = [
  null, true, -1, 1e308, 1e15, 0.5, '', 'x', '\u0000', '\ud800', '{', '[]', '9'.repeat(30), '-006060-01-01', '+99999-01-01T00:00:00Z',
  [], {}, [[]], [null], { type: 'text' }, [{ type: 'constructor' }], { toString: 1 }, { length: 3 }, { content: [{}] }, ['__proto__'],
]; // biome-ignore format: a list of odds and ends

/** Replaces one value somewhere in `value`, or takes it away. */
function mutate(value: unknown, random: () => number): unknown {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
  if (typeof value !== 'object' || value === null || random() < 0.15) return pick(STRANGE);
  const copy = structuredClone(value) as Record<string, unknown>;
  const keys = Object.keys(copy);
  if (keys.length === 0) return pick(STRANGE);
  const key = pick(keys);
  if (random() < 0.15) delete copy[key];
  else copy[key] = mutate(copy[key], random);
  return copy;
}

it.each(FORMATS.map(({ name, contentType }) => [name, contentType] as const))(
  'a damaged record of %s is taken or rejected with a reason, and never ends the consumer',
  (name, contentType) => {
    const random = randomOf(7);
    for (const valid of VALID_RECORDS[name]!) {
      expect(decode(valid, as(contentType)).outcome).toBe('decoded');
      for (let index = 0; index < MUTANTS; index++) {
        const damaged = mutate(random() < 0.3 ? mutate(valid, random) : valid, random);
        const record = decode(damaged, as(contentType));
        expect(() => decode(damaged)).not.toThrow();
        if (record.outcome === 'rejected') expect(record.detail.length).toBeLessThanOrEqual(1_000);
        else for (const { occurredAt } of record.turns) expect(occurredAt).toMatch(/^\d{4}-\d\d-\d\dT/);
      }
    }
  },
);
