import { expect, it } from 'vitest';
import { compareLanguages, dominantScript } from './language.js';
import { refusalOf, similarity } from './verify-positive.js';

const asked = 'What is the capital of France? No, that is not what I learned at school.';
const rejected = { text: 'The capital of France is Lyon, which lies on the Rhone.', tokens: 14, asked };
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
  expect(refusalOf({ ...copy, text: longer }, { ...rejected, text: `${longer} Indeed.`, tokens: 40 }, false)).toBe(
    'near-copy',
  );
  expect(refusalOf({ ...copy, text: rejected.text.toUpperCase() }, rejected, false)).toBe('near-copy');
});

it('refuses lengths out of proportion, but lets a short reply be answered at length', () => {
  expect(refusalOf({ ...good, tokens: 200 }, rejected, false)).toBe('length-ratio');
  expect(refusalOf({ ...good, tokens: 3 }, { ...rejected, tokens: 400 }, false)).toBe('length-ratio');
  expect(refusalOf({ ...good, tokens: 90 }, { ...rejected, text: 'I cannot.', tokens: 4 }, false)).toBeNull();
});

const french = 'Je crois que la capitale de la France est Paris, une grande ville au bord de la Seine.';
const english = 'I believe that the capital of France is Paris, a large city on the banks of the Seine.';

it('refuses a reply in neither the language of the rejected reply nor that of the user', () => {
  expect(refusalOf({ ...good, text: 'Это Париж, на реке Сене.' }, rejected, false)).toBe('language');
  expect(
    refusalOf({ ...good, text: french }, { ...rejected, text: `${rejected.text} It has been so for long.` }, false),
  ).toBe('language');
  expect(
    refusalOf(
      { ...good, text: french },
      { ...rejected, asked: 'Réponds en français, je ne comprends pas ce que tu écris en anglais.' },
      false,
    ),
  ).toBeNull();
  expect(refusalOf({ ...good, text: '42' }, rejected, false)).toBeNull();
});

it('tells languages of one writing system apart in texts that are long enough, and leaves code alone', () => {
  expect(compareLanguages(french, english)).toBe('different');
  expect(compareLanguages(english, rejected.text)).toBe('same');
  expect(compareLanguages('Oui, Paris.', english)).toBe('unknown');
  const code =
    'for (const [index, value] of values.entries()) {\n  total += value * index;\n  console.log(total, index);\n}\nreturn total;';
  expect(compareLanguages(code, english)).not.toBe('different');
});

it('tells Japanese from Chinese by its Kana', () => {
  expect(dominantScript('東京は日本の首都です')).toBe('Japanese');
  expect(dominantScript('巴黎是法国的首都')).toBe('Han');
  expect(dominantScript('x = 1')).toBeNull();
});
