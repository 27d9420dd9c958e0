import { describe, expect, it } from 'vitest';
import { readShareGptCorpus } from '../../src/chat-log/sharegpt-corpus.js';
import { loadConfig } from '../../src/config/config.js';
import { exchangeAt } from '../../src/dsat/exchange-at.js';
import { requireAsset } from '../../src/stack/assets.js';

describe('the ShareGPT corpus', () => {
  it('is 9,457 whole conversations of 122,731 turns, 51,821 of them follow-up user turns', async () => {
    const corpus = await readShareGptCorpus(requireAsset(loadConfig(), 'chatLogs'));
    const followUps = corpus.map(({ turns }) => turns.filter((_, at) => exchangeAt(turns, at)).length);
    expect(corpus.length).toBe(9_457);
    expect(corpus.reduce((sum, { turns }) => sum + turns.length, 0)).toBe(122_731);
    expect(followUps.reduce((sum, count) => sum + count, 0)).toBe(51_821);
  });
});
