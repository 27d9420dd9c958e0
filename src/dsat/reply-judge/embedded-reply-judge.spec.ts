import { expect, it } from 'vitest';
import { loadReplyJudge } from './embedded-reply-judge.js';
import type { FreshReply } from './reply-judge.js';

const judge = loadReplyJudge();
const PROMPT = 'Write a Python function that sorts a list, and explain it.';
const replies: FreshReply[] = [
  { prompt: PROMPT, reply: 'def sort(items): return sorted(items)\n\nIt calls `sorted`, which copies the list.' },
  { prompt: PROMPT, reply: '' },
  { prompt: '', reply: '\ud83d ☃ 中文 \u0000' },
  { prompt: PROMPT, reply: 'I apologize for the confusion. '.repeat(2_000), feedback: 'That is still wrong!' },
];

it('gives every reply a probability, the same whatever is judged beside it', async () => {
  const together = await judge.score(replies);
  expect(together).toHaveLength(replies.length);
  for (const [at, probability] of together.entries()) {
    expect(probability).toBeGreaterThan(0);
    expect(probability).toBeLessThan(1);
    expect(await judge.score([replies[at]!])).toEqual([probability]);
  }
});

it('takes no longer for a reply that is nothing but line breaks', async () => {
  await expect(judge.score([{ prompt: PROMPT, reply: '\n'.repeat(1_000_000) }])).resolves.toHaveLength(1);
});

it('prefers what it expects to displease less, whichever comes first, and neither of two that are the same', async () => {
  const [first, second] = [replies[0]!.reply, replies[3]!.reply];
  const [a, b] = await judge.score([first, second].map((reply) => ({ prompt: PROMPT, reply })));
  const [one, other] = a! < b! ? (['first', 'second'] as const) : (['second', 'first'] as const);
  const turned = { prompt: PROMPT, first: second, second: first };
  expect(await judge.prefer([{ prompt: PROMPT, first, second }, turned])).toEqual([one, other]);
  expect(await judge.prefer([{ prompt: PROMPT, first, second: first }])).toEqual(['none']);
});

it('looks at the feedback', async () => {
  const [without, withIt] = await judge.score([{ ...replies[3]!, feedback: undefined }, replies[3]!]);
  expect(withIt).not.toBe(without);
});
