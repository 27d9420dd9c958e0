import { describe, expect, it } from 'vitest';
import { completedExchanges, type ExchangeTurns } from './exchanges.js';
import type { Role } from './turn.js';

const ROLES: Record<string, Role> = { u: 'user', a: 'assistant', s: 'system', t: 'tool' };

/** Roles of turns 0, 1, … from their first letters; a dot is a turn that is missing. */
function rolesOf(letters: string): Map<number, Role> {
  return new Map([...letters].flatMap((letter, turn) => (letter === '.' ? [] : [[turn, ROLES[letter]!]])));
}

function allOf(letters: string): ExchangeTurns[] {
  const roles = rolesOf(letters);
  return completedExchanges(roles, roles.keys());
}

const turnsOf = (exchanges: ExchangeTurns[]) => exchanges.map(({ turn }) => turn);

describe('completedExchanges', () => {
  it('takes each user turn right after a reply, with the user turn nearest before that reply', () => {
    expect(allOf('uauua')).toEqual([{ promptTurn: 0, replyTurn: 1, turn: 2 }]);
    expect(allOf('uuau')).toEqual([{ promptTurn: 1, replyTurn: 2, turn: 3 }]);
  });

  it('reaches over tool and system turns for the prompt, but not for the reply', () => {
    expect(allOf('uatau')).toEqual([{ promptTurn: 0, replyTurn: 3, turn: 4 }]);
    expect(allOf('uatu')).toEqual([]);
  });

  it('has no prompt where a conversation begins with the reply', () => {
    expect(allOf('sau')).toEqual([{ promptTurn: null, replyTurn: 1, turn: 2 }]);
  });

  it('waits while a turn between prompt and reply is missing', () => {
    expect(allOf('u.au')).toEqual([]);
    expect(allOf('.au')).toEqual([]);
    expect(turnsOf(completedExchanges(rolesOf('utau'), [1]))).toEqual([3]);
    expect(turnsOf(completedExchanges(rolesOf('uau'), [0]))).toEqual([2]);
  });

  it('does not wait for what lies before the prompt', () => {
    expect(turnsOf(allOf('..uau'))).toEqual([4]);
  });

  it('gives each exchange once, and the same ones, in whatever order and portions the turns arrive', () => {
    const letters = 'suauatauuau';
    const expected = allOf(letters);
    for (const order of shuffles(letters.length, 300)) {
      const seen = new Map<number, Role>();
      const found = portions(order).flatMap((fresh) => {
        for (const turn of fresh) seen.set(turn, rolesOf(letters).get(turn)!);
        return completedExchanges(seen, fresh);
      });
      expect(found.sort((a, b) => a.turn - b.turn)).toEqual(expected);
    }
  });
});

/** Orders of the numbers below `length`, from a small linear congruential generator. */
function shuffles(length: number, count: number): number[][] {
  let state = 1;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  return Array.from({ length: count }, () => {
    const order = Array.from({ length }, (_, index) => index);
    for (let i = length - 1; i > 0; i--) {
      const j = random(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  });
}

/** An order cut into portions of 1, 2, 3, 1, 2, … */
function portions(order: number[]): number[][] {
  const cut: number[][] = [];
  for (let at = 0, size = 1; at < order.length; at += size, size = (size % 3) + 1) cut.push(order.slice(at, at + size));
  return cut;
}
