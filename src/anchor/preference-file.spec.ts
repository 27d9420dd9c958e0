import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type Preference, readPreferences } from './preference-file.js';

const dir = await mkdtemp(join(tmpdir(), 'preferences-'));
afterAll(() => rm(dir, { recursive: true }));

async function read(...lines: (object | string)[]) {
  const file = join(dir, 'data.jsonl');
  await writeFile(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return all(file);
}

async function all(file: string): Promise<Preference[]> {
  const preferences: Preference[] = [];
  for await (const preference of readPreferences(file)) preferences.push(preference);
  return preferences;
}

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const sky = { prompt: [user('Colour of the sky?')], rejected: 'Green.', tied: false };

it("reads UltraFeedback's binarized form, whose replies repeat the prompt", async () => {
  const record = {
    prompt: 'Colour of the sky?',
    prompt_id: 'p1',
    chosen: [user('Colour of the sky?'), assistant('Blue.')],
    rejected: [user('Colour of the sky?'), assistant('Green.')],
    messages: [user('Colour of the sky?'), assistant('Blue.')],
    score_chosen: 8,
    score_rejected: 3,
  };
  expect(await read(record)).toEqual([{ line: 1, ...sky }]);
});

it("reads TRL's forms, with the prompt apart or in the replies", async () => {
  const prompt = [user('Colour of the sky?')];
  const [chosen, rejected] = [[assistant('Blue.')], [assistant('Green.')]];
  const read4 = await read(
    { prompt: 'Colour of the sky?', chosen: 'Blue.', rejected: 'Green.' },
    { prompt, chosen, rejected },
    '',
    { chosen: [...prompt, ...chosen], rejected: [...prompt, ...rejected] },
  );
  expect(read4).toEqual([1, 2, 4].map((line) => ({ line, ...sky })));
});

it('keeps the conversation before the reply, and says when nothing is preferred', async () => {
  const before = [{ role: 'system', content: 'Be brief.' }, user('a'), assistant('b'), user('c')];
  const [preference] = await read({ prompt: before, chosen: [assistant('d')], rejected: [assistant('d')] });
  expect(preference).toEqual({ line: 1, prompt: before, rejected: 'd', tied: true });
});

it.each([
  ['no JSON', '{', /:1: not JSON$/],
  ['no rejected', { prompt: 'a', chosen: 'b' }, /:1: rejected: /],
  ['a text without a prompt', { chosen: 'a b', rejected: 'a c' }, /:1: prompt: /],
  ['a reply of nobody', { prompt: 'a', chosen: 'b', rejected: [] }, /:1: rejected: .*assistant/],
  ['a reply of the user', { prompt: 'a', chosen: 'b', rejected: [user('c')] }, /:1: rejected: .*assistant/],
  [
    'a role that is not known',
    { prompt: 'a', chosen: 'b', rejected: [{ role: 'x', content: '' }] },
    /:1: rejected\.0\.role/,
  ],
  ['a prompt that asks nothing', { prompt: [assistant('a')], chosen: 'b', rejected: 'c' }, /:1: prompt: /],
  ['no prompt at all', { chosen: [assistant('b')], rejected: [assistant('c')] }, /:1: prompt: /],
  [
    'replies to different conversations',
    { chosen: [user('a'), assistant('b')], rejected: [user('x'), assistant('c')] },
    /:1: chosen and rejected answer different/,
  ],
] as const)('refuses %s with file and line', async (_, line, message) => {
  await expect(read(line)).rejects.toMatchObject({ code: 'record-invalid', message: expect.stringMatching(message) });
});

it('says that a file is not there', async () => {
  await expect(all(join(dir, 'none.jsonl'))).rejects.toMatchObject({ code: 'usage' });
});
