import { apologises, containment, cutOff, errorSigns, hasCode, lengthBin, shareBin } from './exchange-signals.js';
import type { FeatureVector } from './feature-vector.js';
import { addCharGrams, addWordGrams } from './first-stage-features.js';
import { hashText, mix, readable, tokenHashes } from './text.js';
import type { Exchange } from './verdict.js';

const TURN_LIMIT = { head: 1000, tail: 400 };
const PROMPT_LIMIT = { head: 600, tail: 200 };
const REPLY_LIMIT = { head: 800, tail: 400 };

/** One feature group; `weight` is its length. */
export interface SecondStageWeights {
  [group: string]: number;
}

export const GROUPS: Record<string, number> = {
  word: 1,
  c3: 0.7,
  c4: 0.7,
  c5: 0.7,
  start: 1,
  novel: 1,
  prompt: 0.4,
  reply: 0.4,
  cross: 0.7,
  edit: 1,
  signals: 1,
  pairs: 1,
};

export function secondStageFeatures({ prompt, reply, userTurn }: Exchange, into: FeatureVector): void {
  const turn = readable(userTurn, TURN_LIMIT);
  const promptText = readable(prompt, PROMPT_LIMIT);
  const replyText = readable(reply, REPLY_LIMIT);
  const tokens = tokenHashes(turn);
  const promptTokens = tokenHashes(promptText);
  const replyTokens = tokenHashes(replyText);
  const own = new Set(tokens);
  const asked = new Set(promptTokens);
  const said = new Set(replyTokens);
  into.clear();
  const G = GROUPS;
  const g = (name: string, seed: number, fill: () => void) => {
    if (!G[name]) return;
    into.group(seed);
    fill();
    into.endGroup(G[name]!);
  };
  const words = (tok: number[], n: number) => {
    let b = 0x51a7;
    let bb = 0;
    for (const t of tok) {
      into.add(t);
      if (n > 1) {
        const p = mix(b, t);
        into.add(p);
        if (n > 2 && bb) into.add(mix(bb, p));
      }
      bb = b;
      b = t;
    }
    if (n > 1) into.add(mix(b, 0xe4d));
  };
  const chars = (text: string, n: number) => {
    for (let at = 0; at + n <= text.length; at++) {
      let h = n;
      for (let u = at; u < at + n; u++) h = Math.imul(h, 0x01000193) ^ text.charCodeAt(u);
      into.add(h);
    }
  };
  g('word', 1, () => words(tokens, 3));
  g('c3', 2, () => chars(turn, 3));
  g('c4', 3, () => chars(turn, 4));
  g('c5', 4, () => chars(turn, 5));
  g('start', 6, () => {
    tokens.slice(0, 4).forEach((t, i) => {
      into.add(mix(i, t));
    });
    into.add(mix(77, tokens.slice(0, 2).reduce(mix, 1)));
    into.add(mix(78, tokens.slice(0, 3).reduce(mix, 1)));
    into.add(mix(79, tokens.slice(-2).reduce(mix, 1)));
  });
  g('novel', 7, () => {
    for (const t of own) into.add(mix(t, (asked.has(t) ? 1 : 0) + (said.has(t) ? 2 : 0)));
  });
  g('prompt', 8, () => words(promptTokens, 2));
  g('reply', 9, () => words(replyTokens, 2));
  const code = hasCode(reply);
  const len = lengthBin(userTurn.length);
  const inPrompt = containment(own, asked);
  const ofPrompt = containment(asked, own);
  const inReply = containment(own, said);
  g('cross', 10, () => {
    for (const t of own) {
      into.add(mix(t, code ? 1 : 2));
      into.add(mix(t, 100 + Math.min(8, len)));
    }
  });
  const near = ofPrompt > 0.5 && inPrompt > 0.5;
  g('edit', 11, () => {
    if (!near) return;
    for (const t of own) if (!asked.has(t)) into.add(mix(t, 1));
    for (const t of asked) if (!own.has(t)) into.add(mix(t, 2));
  });
  const sorry = apologises(reply);
  const signals = [
    `turn ${len}`,
    `prompt ${lengthBin(prompt.length)}`,
    `reply ${lengthBin(reply.length)}`,
    `inprompt ${shareBin(inPrompt)}`,
    `ofprompt ${shareBin(ofPrompt)}`,
    `inreply ${shareBin(inReply)}`,
    `ofreply ${shareBin(containment(said, own))}`,
    `same ${prompt === userTurn}`,
    `errors ${errorSigns(turn)}`,
    `perrors ${errorSigns(promptText)}`,
    `code ${code}`,
    `tcode ${hasCode(userTurn)}`,
    `sorry ${sorry}`,
    `cut ${cutOff(reply)}`,
    `question ${turn.includes('?')}`,
    `excl ${turn.includes('!')}`,
    `upper ${upperShare(userTurn)}`,
    `longer ${Math.sign(userTurn.length - prompt.length)}`,
    `lines ${Math.min(4, turn.split('\n').length)}`,
  ];
  g('signals', 5, () => {
    for (const s of signals) into.add(hashText(s));
  });
  g('pairs', 12, () => {
    for (let i = 0; i < signals.length; i++)
      for (let j = 0; j < i; j++) into.add(mix(hashText(signals[i]!), hashText(signals[j]!)));
  });
}

function upperShare(text: string): number {
  let upper = 0;
  let letters = 0;
  for (let i = 0; i < Math.min(200, text.length); i++) {
    const c = text.charCodeAt(i);
    if (c >= 65 && c <= 90) upper++;
    if ((c >= 65 && c <= 90) || (c >= 97 && c <= 122)) letters++;
  }
  return letters === 0 ? 9 : Math.round((upper / letters) * 4);
}
