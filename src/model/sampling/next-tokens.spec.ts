import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startDraft } from './draft.js';
import { NativeSession } from './native-session.js';
import { nextTokens } from './next-tokens.js';

/** What transformers makes of a row: `test/reference/warpers/make_warpers.py`. */
interface Case {
  settings: { temperature: number; top_k?: number; top_p?: number; min_p?: number; repetition_penalty?: number };
  ids: number[];
  logits: number[];
  probabilities: number[];
}

const CASES: Case[] = JSON.parse(
  readFileSync(new URL('../../../test/reference/warpers/warpers.json', import.meta.url), 'utf8'),
);
const ROWS = 4000;

/** How often each token is drawn when the numbers to draw by are spread evenly. */
function shares({ settings, ids, logits }: Case): number[] {
  const asked = {
    temperature: settings.temperature,
    topK: settings.top_k ?? 0,
    topP: settings.top_p ?? 1,
    minP: settings.min_p ?? 0,
    repetitionPenalty: settings.repetition_penalty ?? 1,
    maxNewTokens: 8,
  };
  const session = new NativeSession();
  const rows = session.floats(
    Float32Array.from({ length: ROWS * logits.length }, (_, i) => logits[i % logits.length]!),
    [ROWS, logits.length],
  );
  // What was seen is in the prompt or in the completion: half in each.
  const drafts = Array.from({ length: ROWS }, (_, i) => {
    const draft = startDraft({ promptIds: ids.slice(0, 6), seed: i }, asked);
    return { ...draft, ids: ids.slice(6), random: () => (i + 0.5) / ROWS };
  });
  const counts = new Array<number>(logits.length).fill(0);
  for (const token of nextTokens(session, rows, drafts, asked)) counts[token!.id]! += 1;
  session.dispose();
  return counts.map((count) => count / ROWS);
}

test.each(CASES)('draws with the probabilities that transformers gives: $settings', (row) => {
  for (const [id, share] of shares(row).entries()) {
    const expected = row.probabilities[id]!;
    if (expected === 0) expect(share).toBe(0);
    expect(Math.abs(share - expected), `token ${id}`).toBeLessThan(1.01 / ROWS);
  }
});
