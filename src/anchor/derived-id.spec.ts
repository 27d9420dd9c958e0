import { expect, it } from 'vitest';
import { derivedId } from './derived-id.js';

it('gives a version 8 UUID that depends on kind, conversation and turn alone', () => {
  const id = derivedId('anchor', 'c', 2);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(derivedId('anchor', 'c', 2)).toBe(id);
  const others = [derivedId('seed-pair', 'c', 2), derivedId('anchor', 'd', 2), derivedId('anchor', 'c', 3)];
  expect(new Set([id, ...others]).size).toBe(4);
});
