import { describe, expect, it } from 'vitest';
import { hashText, readable, tokenHashes } from './text.js';

describe('readable', () => {
  it('keeps the head and the tail of a text that is over the limit', () => {
    expect(readable('ABCDEFGHIJ', { head: 3, tail: 2 })).toBe('abc\nij');
    expect(readable('ABCDE', { head: 3, tail: 2 })).toBe('abcde');
    expect(readable('ABCDEFGHIJ', { head: 3, tail: 0 })).toBe('abc\n');
  });
});

describe('tokenHashes', () => {
  it('splits words at spaces and marks, and takes a run of a mark as one', () => {
    expect(tokenHashes("don't stop!!! now")).toEqual(["don't", 'stop', '!', 'now'].map((token) => hashText(token)));
  });

  it('takes a typographic apostrophe for the plain one', () => {
    expect(tokenHashes('don’t')).toEqual(tokenHashes("don't"));
  });

  it('takes each ideogram as a token, and letters of other scripts as words', () => {
    expect(tokenHashes('你好')).toHaveLength(2);
    expect(tokenHashes('не работает')).toEqual(['не', 'работает'].map((token) => hashText(token)));
  });

  it('finds nothing in spaces', () => {
    expect(tokenHashes(' \n\t\u00a0\u200b')).toEqual([]);
  });
});
