import { describe, expect, it } from 'vitest';
import { encoderInput } from './encoder-tokens.js';

/** A word is a token; its id is its number. */
const tokenIds = (text: string) => (text.match(/\d+/g) ?? []).map(Number);
const words = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);
const text = (from: number, count: number) => words(from, count).join(' ');
const [CLS, SEP] = [101, 102];

describe('the input of the encoder', () => {
  it('is the turn, then the prompt and the reply that it answers', () => {
    const exchange = { prompt: text(2000, 3), reply: text(3000, 4), userTurn: text(1000, 2) };
    const { ids, segments } = encoderInput(exchange, tokenIds);
    expect(ids).toEqual([CLS, 1000, 1001, SEP, 2000, 2001, 2002, SEP, 3000, 3001, 3002, 3003, SEP]);
    expect(segments).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('leaves a long turn half of 128 tokens, and keeps head and tail of each text', () => {
    const exchange = { prompt: text(2000, 150), reply: text(3000, 150), userTurn: text(1000, 150) };
    const { ids } = encoderInput(exchange, tokenIds);
    expect(ids).toHaveLength(128);
    expect(ids.slice(0, 64)).toEqual([CLS, ...words(1000, 43), ...words(1131, 19), SEP]);
    expect(ids.slice(64)).toEqual([
      ...[...words(2000, 14), ...words(2140, 10), SEP],
      ...[...words(3000, 19), ...words(3131, 19), SEP],
    ]);
  });

  it('gives the turn what prompt and reply do not need', () => {
    const { ids } = encoderInput({ prompt: text(2000, 5), reply: '', userTurn: text(1000, 150) }, tokenIds);
    expect(ids.filter((id) => id >= 1000 && id < 2000)).toHaveLength(119);
  });

  it('has no more than separators of empty texts', () => {
    expect(encoderInput({ prompt: '', reply: '', userTurn: '' }, tokenIds).ids).toEqual([CLS, SEP, SEP, SEP]);
  });

  it('reads the ends of a very long text only', () => {
    let longest = 0;
    const measure = (read: string) => {
      longest = Math.max(longest, read.length);
      return [];
    };
    encoderInput({ prompt: 'x'.repeat(1e6), reply: '', userTurn: 'y' }, measure);
    expect(longest).toBe(2_001);
  });
});
