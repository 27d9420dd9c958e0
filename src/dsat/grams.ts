import type { FeatureVector } from './feature-vector.js';
import { mix } from './text.js';

/** Stand for the start and the end of a text. */
const START = 0x51a7;
const END = 0x0e4d;

/** Runs of `lengths` tokens, with the start and the end of the text as tokens. */
export function addGrams(tokens: readonly number[], lengths: readonly number[], into: FeatureVector): void {
  const sequence = [START, ...tokens, END];
  for (const length of lengths) {
    for (let at = 0; at + length <= sequence.length; at++) into.add(gram(sequence, at, length));
  }
}

function gram(sequence: readonly number[], at: number, length: number): number {
  let hash = length;
  for (let i = at; i < at + length; i++) hash = mix(hash, sequence[i]!);
  return hash;
}

/** Runs of `length` UTF-16 units. */
export function addCharGrams(text: string, length: number, into: FeatureVector): void {
  for (let at = 0; at + length <= text.length; at++) {
    let hash = length;
    for (let unit = at; unit < at + length; unit++) hash = Math.imul(hash, 0x01000193) ^ text.charCodeAt(unit);
    into.add(hash);
  }
}

/** How a text opens and closes: its first tokens by their place, its first two and three, its last two. */
export function addOpening(tokens: readonly number[], into: FeatureVector): void {
  for (let place = 0; place < 4 && place < tokens.length; place++) into.add(mix(place, tokens[place]!));
  into.add(mix(77, gram(tokens.slice(0, 2), 0, Math.min(2, tokens.length))));
  into.add(mix(78, gram(tokens.slice(0, 3), 0, Math.min(3, tokens.length))));
  into.add(mix(79, gram(tokens.slice(-2), 0, Math.min(2, tokens.length))));
}

/** Each signal, and each pair of signals: a linear model then sees which come together. */
export function addSignalPairs(signals: readonly number[], into: FeatureVector): void {
  const hashes = signals.map((value, place) => mix(place + 1, value));
  for (let i = 0; i < hashes.length; i++) {
    into.add(hashes[i]!);
    for (let j = 0; j < i; j++) into.add(mix(hashes[i]!, hashes[j]!));
  }
}
