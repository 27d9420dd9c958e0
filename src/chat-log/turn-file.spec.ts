import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { TurnRecord } from './replay.js';
import { openTurnFile } from './turn-file.js';

async function fileOf(text: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'turn-file-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, 'turns.jsonl');
  await writeFile(file, text);
  return file;
}

async function read(file: string): Promise<TurnRecord[]> {
  const records: TurnRecord[] = [];
  for await (const record of await openTurnFile(file)) records.push(record);
  return records;
}

it('gives each line as it is, with its conversation, and skips empty ones', async () => {
  const lines = ['{"conversationId":"a", "turn":0}', '{"turn":1,"conversationId":"b"}'];
  const records = await read(await fileOf(`${lines[0]}\n\n${lines[1]}`));
  expect(records).toEqual([
    { conversationId: 'a', value: lines[0] },
    { conversationId: 'b', value: lines[1] },
  ]);
});

it('names the line that it cannot read', async () => {
  for (const bad of ['no json', '{"turn":1}', '{"conversationId":""}', `{"x":${'['.repeat(100)}`]) {
    const reading = read(await fileOf(`{"conversationId":"a"}\n${bad}\n`));
    await expect(reading).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/turns\.jsonl:2: /) });
  }
});

it('reads a file that begins with a byte order mark', async () => {
  expect(await read(await fileOf('\ufeff{"conversationId":"a"}'))).toHaveLength(1);
});

it('says which file cannot be read', async () => {
  const reading = read('/nowhere/turns.jsonl');
  await expect(reading).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('/nowhere/turns.jsonl'),
  });
});
