import { apologises, containment, errorSigns, hasCode, lengthBin, shareBin } from './exchange-signals.js';
import type { FeatureVector } from './feature-vector.js';
import { hashText, mix, readable, tokenHashes } from './text.js';
import type { Exchange } from './verdict.js';

const TURN_LIMIT = { head: 320, tail: 120 };
const CONTEXT_LIMIT = { head: 240, tail: 0 };

/** Few and cheap: n-grams of the turn, how it resembles the prompt, and what kind of reply it follows. */
export function firstStageFeatures({ prompt, reply, userTurn }: Exchange, into: FeatureVector): void {
  const turn = readable(userTurn, TURN_LIMIT);
  const tokens = tokenHashes(turn);
  into.clear();
  addWordGrams(tokens, 1, into);
  addCharGrams(turn, 4, 3, into);
  addSignals(tokens, turn, { prompt, reply, userTurn }, into);
}

const START = 0x51a7;
const END = 0xe4d;

/** Words, pairs and triples of them, with the start and the end of the text as words. */
export function addWordGrams(tokens: number[], seed: number, into: FeatureVector): void {
  into.group(seed);
  let before = START;
  let beforeThat = 0;
  for (const token of tokens) {
    into.add(token);
    const pair = mix(before, token);
    into.add(pair);
    if (beforeThat !== 0) into.add(mix(beforeThat, pair));
    beforeThat = before;
    before = token;
  }
  into.add(mix(before, END));
  into.endGroup(1);
}

/** Runs of `length` UTF-16 units. */
export function addCharGrams(text: string, length: number, seed: number, into: FeatureVector): void {
  into.group(seed);
  for (let at = 0; at + length <= text.length; at++) {
    let hash = length;
    for (let unit = at; unit < at + length; unit++) hash = Math.imul(hash, 0x01000193) ^ text.charCodeAt(unit);
    into.add(hash);
  }
  into.endGroup(1);
}

function addSignals(tokens: number[], turn: string, { prompt, reply, userTurn }: Exchange, into: FeatureVector): void {
  const own = new Set(tokens);
  const asked = new Set(tokenHashes(readable(prompt, CONTEXT_LIMIT)));
  const signals = [
    `turn ${lengthBin(userTurn.length)}`,
    `prompt ${lengthBin(prompt.length)}`,
    `reply ${lengthBin(reply.length)}`,
    `repeats ${shareBin(containment(own, asked))}`,
    `repeated ${shareBin(containment(asked, own))}`,
    `same ${prompt === userTurn}`,
    `code ${hasCode(reply.slice(0, 600))} errors ${errorSigns(turn)}`,
    `sorry ${apologises(reply)}`,
    `question ${turn.includes('?')}`,
  ];
  into.group(5);
  for (const signal of signals) into.add(hashText(signal));
  into.endGroup(1);
}
