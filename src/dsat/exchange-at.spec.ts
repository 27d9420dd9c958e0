import { describe, expect, it } from 'vitest';
import { exchangeAt } from './exchange-at.js';

const turn = (role: string, content: string) => ({ role, content });

describe('exchangeAt', () => {
  it('takes the nearest user turn before the reply as the prompt', () => {
    const turns = [
      turn('user', 'old'),
      turn('user', 'new'),
      turn('system', 's'),
      turn('assistant', 'reply'),
      turn('user', 'next'),
    ];
    expect(exchangeAt(turns, 4)).toEqual({ prompt: 'new', reply: 'reply', userTurn: 'next' });
  });

  it('has an empty prompt where no user turn precedes the reply', () => {
    expect(exchangeAt([turn('assistant', 'hi'), turn('user', 'hello')], 1)?.prompt).toBe('');
  });

  it('is null for anything but a user turn right after a reply', () => {
    const turns = [turn('user', 'a'), turn('user', 'b'), turn('assistant', 'c'), turn('assistant', 'd')];
    expect([-1, 0, 1, 2, 3, 4].map((at) => exchangeAt(turns, at))).toEqual(Array(6).fill(null));
  });
});
