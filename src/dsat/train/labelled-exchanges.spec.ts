import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readKeptApart, readLabels, type TurnLabel, withTexts } from './labelled-exchanges.js';

const label: TurnLabel = {
  conversation: 'abc',
  turn: 2,
  label: 'dsat',
  rubric: 'detail',
  confidence: 'high',
  stratum: 'random',
};
const corpus = [
  {
    id: 'abc',
    turns: [
      { role: 'user' as const, content: 'ask' },
      { role: 'assistant' as const, content: 'reply' },
      { role: 'user' as const, content: 'more, please' },
    ],
  },
];

describe('withTexts', () => {
  it('joins a label with the texts of its turn', () => {
    expect(withTexts([label], corpus, new Set())).toEqual([
      { ...label, exchange: { prompt: 'ask', reply: 'reply', userTurn: 'more, please' } },
    ]);
  });

  it('refuses a conversation that is kept apart, and a turn that is not there', () => {
    const keptApart = new Set([createHash('sha256').update('abc').digest('hex')]);
    expect(() => withTexts([label], corpus, keptApart)).toThrow(/abc is kept apart/);
    expect(() => withTexts([{ ...label, turn: 1 }], corpus, new Set())).toThrow(/abc has no user turn 1/);
    expect(() => withTexts([{ ...label, conversation: 'x' }], corpus, new Set())).toThrow(/x has no user turn 2/);
  });
});

describe('the committed labels', () => {
  it('hold no turn of a conversation that is kept apart, and no turn twice', async () => {
    const labels = await readLabels('data/dsat-labels.jsonl');
    const keptApart = await readKeptApart('data/heldout-conversations.sha256');
    expect(keptApart.size).toBe(1472);
    const hashes = labels.map(({ conversation }) => createHash('sha256').update(conversation).digest('hex'));
    expect(hashes.filter((hash) => keptApart.has(hash))).toEqual([]);
    expect(new Set(labels.map(({ conversation, turn }) => `${conversation} ${turn}`)).size).toBe(labels.length);
  });
});
