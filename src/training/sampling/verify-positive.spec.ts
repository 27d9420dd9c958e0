import { expect, it } from 'vitest';
import { dominantScript } from './script.js';
import { refusalOf, similarity } from './verify-positive.js';

const rejected = { text: 'The capital of France is Lyon, which lies on the Rhone.', tokens: 14 };
const good = { text: 'It is Paris, on the river Seine.', tokens: 9, finish: 'eos' as const };

it('accepts another reply that ended by itself', () => {
  expect(refusalOf(good, rejected, false)).toBeNull();
});

it('refuses a reply that was cut off, unless the budget is too small to end', () => {
  expect(refusalOf({ ...good, finish: 'length' }, rejected, false)).toBe('no-eos');
  expect(refusalOf({ ...good, finish: 'length' }, rejected, true)).toBeNull();
});

it('refuses a reply without text', () => {
  expect(refusalOf({ ...good, text: ' \n' }, rejected, true)).toBe('empty');
});

it('refuses the rejected reply with a word changed', () => {
  const copy = { ...good, text: 'The capital of France is Lyon, which lies at the Rhone.', tokens: 14 };
  expect(similarity(copy.text, rejected.text)).toBeLessThan(0.7);
  const longer = `${rejected.text} ${rejected.text} It has been so for a very long time now.`;
  expect(refusalOf({ ...copy, text: longer }, { text: `${longer} Indeed.`, tokens: 40 }, false)).toBe('near-copy');
  expect(refusalOf({ ...copy, text: rejected.text.toUpperCase() }, rejected, false)).toBe('near-copy');
});

it('refuses lengths out of proportion, but lets a short reply be answered at length', () => {
  expect(refusalOf({ ...good, tokens: 200 }, rejected, false)).toBe('length-ratio');
  expect(refusalOf({ ...good, tokens: 3 }, { ...rejected, tokens: 400 }, false)).toBe('length-ratio');
  expect(refusalOf({ ...good, tokens: 90 }, { text: 'I cannot.', tokens: 4 }, false)).toBeNull();
});

it('refuses another writing system than that of the rejected reply', () => {
  expect(refusalOf({ ...good, text: 'Это Париж, на реке Сене.' }, rejected, false)).toBe('script');
  expect(refusalOf({ ...good, text: '42' }, rejected, false)).toBeNull();
});

it('tells Japanese from Chinese by its Kana', () => {
  expect(dominantScript('東京は日本の首都です')).toBe('Japanese');
  expect(dominantScript('巴黎是法国的首都')).toBe('Han');
  expect(dominantScript('x = 1')).toBeNull();
});
