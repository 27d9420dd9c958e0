import { describe, expect, it } from 'vitest';
import { parseWellFormed } from './well-formed.js';

describe('parseWellFormed', () => {
  it('replaces NUL and lone surrogates anywhere in the value, keys included', () => {
    expect(parseWellFormed(String.raw`{"a":["x\u0000y",{"\ud800k":"\uDC00"}],"n":1,"z":null}`)).toEqual({
      value: { a: ['x\ufffdy', { '\ufffdk': '\ufffd' }], n: 1, z: null },
      changed: true,
    });
  });

  it('leaves escaped pairs and other scripts as they are', () => {
    expect(parseWellFormed(String.raw`["\ud83d\ude00","नमस्ते","\u0001"]`)).toEqual({
      value: ['😀', 'नमस्ते', '\u0001'],
      changed: false,
    });
  });
});
