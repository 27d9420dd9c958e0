import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readShareGptCorpus } from './sharegpt-corpus.js';

type Message = [from: string, value: string];

const record = (id: string, ...messages: Message[]) =>
  JSON.stringify({ id, conversations: messages.map(([from, value]) => ({ from, value })) }, null, 2);

describe('readShareGptCorpus', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sharegpt-corpus-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const read = async (text: string) => {
    const file = join(dir, 'corpus.json');
    await writeFile(file, text);
    return readShareGptCorpus(file);
  };

  it('puts overlapping, repeated and disordered windows together into whole conversations', async () => {
    const corpus = await read(`[
      ${record('b_2', ['human', 'more'], ['chatgpt', 'here "}" it is'])},
      ${record('a_0', ['system', 'be kind'], ['user', 'hello'], ['gpt', 'hi \\" {'])},
      ${record('empty_0')},
      ${record('b_0', ['human', 'first'], ['gpt', 'reply'])},
      ${record('b_1', ['gpt', 'reply'], ['human', 'more'])},
      ${record('b_0', ['human', 'first'], ['gpt', 'reply'])}]`);
    expect(corpus).toEqual([
      {
        id: 'b',
        turns: [
          { role: 'user', content: 'first' },
          { role: 'assistant', content: 'reply' },
          { role: 'user', content: 'more' },
          { role: 'assistant', content: 'here "}" it is' },
        ],
      },
      {
        id: 'a',
        turns: [
          { role: 'system', content: 'be kind' },
          { role: 'user', content: 'hello' },
          { role: 'assistant', content: 'hi \\" {' },
        ],
      },
    ]);
  });

  it('leaves out the record in which the file is cut off', async () => {
    const whole = record('a_0', ['human', 'one'], ['gpt', 'two']);
    const text = `[${whole},${record('b_0', ['human', 'a brace } and a quote \\" before the cut'])}]`;
    for (let end = whole.length + 2; end < text.length - 1; end++) {
      expect((await read(text.slice(0, end))).map(({ id }) => id)).toEqual(['a']);
    }
  });

  it('refuses windows that disagree, leave a hole or name an unknown speaker', async () => {
    const first = record('a_0', ['human', 'one'], ['gpt', 'two']);
    await expect(read(`[${first},${record('a_1', ['gpt', 'other'])}]`)).rejects.toThrow(/turn 1 differs/);
    await expect(read(`[${first},${record('a_3', ['gpt', 'late'])}]`)).rejects.toThrow(/no window holds turn 2/);
    await expect(read(`[${record('a_0', ['parrot', 'hi'])}]`)).rejects.toThrow(/"parrot" is not known/);
    await expect(read(`[${record('a')}]`)).rejects.toThrow(/does not end in/);
  });
});
