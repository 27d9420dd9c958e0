import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importAnchors } from '../../src/anchor/anchor-import.js';
import { listAnchors, readAnchorCases } from '../../src/anchor/anchor-read.js';
import { createDataSource } from '../../src/database/data-source.js';
import { eraseSubject } from '../../src/erasure/erase-subject.js';
import { insertAnchorConversation } from '../factories/anchors.js';
import { testPrivacy } from '../factories/privacy.js';
import { createTestDatabase } from '../stack.js';

const database = await createTestDatabase();
const dataSource = createDataSource(database.url, 2);
const privacy = testPrivacy();
const dir = await mkdtemp(join(tmpdir(), 'anchor-import-'));
beforeAll(() => dataSource.initialize());
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
  await rm(dir, { recursive: true });
});

async function importLines(lines: object[], limit?: number) {
  const file = join(dir, 'data.jsonl');
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return importAnchors({ dataSource, privacy }, file, 'ultrafeedback', limit);
}

const count = async () => (await listAnchors(dataSource)).length;
const pair = (index: number) => ({ prompt: `Question ${index}?`, chosen: 'Right.', rejected: `Wrong ${index}.` });

it('makes anchors of the rejected replies that are told apart from those of users', async () => {
  const observed = await insertAnchorConversation(dataSource, 'observed');
  expect(await importLines([pair(1)])).toEqual({
    read: 1,
    imported: 1,
    known: 0,
    skipped: { tied: 0, empty: 0, erased: 0 },
  });
  expect((await listAnchors(dataSource, { origin: 'observed' })).map(({ id }) => id)).toEqual([observed]);
  expect(await readAnchorCases(dataSource, { origin: 'imported' })).toMatchObject([
    {
      state: 'active',
      source: 'ultrafeedback',
      prompt: [{ role: 'user', content: 'Question 1?' }],
      rejected: 'Wrong 1.',
      feedback: null,
      confidence: null,
      classifierVersion: null,
    },
  ]);
});

it('takes more lines in its one transaction than PostgreSQL has locks for', async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => pair(100_000 + index));
  expect(await importLines(lines)).toMatchObject({ imported: 20_000 });
  await dataSource.query("DELETE FROM anchors WHERE conversation_id LIKE 'import:%'");
});

it('redacts as what comes from Kafka is redacted', async () => {
  await importLines([{ ...pair(2), rejected: 'Ask zora@example.com.' }]);
  const texts = await dataSource.query<{ content: string }[]>('SELECT content FROM turns');
  expect(texts.map(({ content }) => content)).toContain('Ask [email].');
});

it('makes the same anchors when it is run again', async () => {
  const lines = Array.from({ length: 1_100 }, (_, index) => pair(100 + index));
  expect(await importLines(lines, 1_050)).toMatchObject({ read: 1_050, imported: 1_050, known: 0 });
  const before = await count();
  expect(await importLines(lines)).toMatchObject({ read: 1_100, imported: 50, known: 1_050 });
  expect(await count()).toBe(before + 50);
});

it('does not bring back what was erased', async () => {
  await importLines([pair(8_000), pair(8_001)]);
  const [row] = await dataSource.query(`SELECT conversation_id FROM turns WHERE content = 'Wrong 8000.'`);
  await eraseSubject(dataSource, privacy.pseudonyms, {
    subject: 'conversation',
    id: row.conversation_id,
    at: new Date(),
  });
  const again = await importLines([pair(8_000), pair(8_001)]);
  expect(again).toMatchObject({ imported: 0, known: 1, skipped: { erased: 1 } });
  const texts = await dataSource.query<{ content: string }[]>('SELECT content FROM turns');
  const contents = texts.map(({ content }) => content);
  expect(contents).toContain('Wrong 8001.');
  expect(contents).not.toContain('Wrong 8000.');
});

it('names conversations so that the key is needed to guess what they say', async () => {
  const line = pair(9_000);
  await importLines([line]);
  const [row] = await dataSource.query(`SELECT conversation_id FROM turns WHERE content = 'Wrong 9000.'`);
  const messages = [
    { role: 'user', content: line.prompt },
    { role: 'assistant', content: line.rejected },
  ];
  const text = JSON.stringify(messages);
  expect(row.conversation_id).not.toContain(hash('sha256', text));
  expect(row.conversation_id).toBe(`import:${privacy.pseudonyms.hash('import', text)}`);
});

it('leaves out what prefers nothing or rejects an empty reply, and counts it', async () => {
  const lines = [{ ...pair(5_000), chosen: 'Wrong 5000.' }, { ...pair(5_001), rejected: ' ' }, pair(5_002)];
  expect(await importLines(lines)).toMatchObject({ imported: 1, skipped: { tied: 1, empty: 1 } });
});

it('imports nothing where a line is bad, and names it', async () => {
  const before = await count();
  const lines = [...Array.from({ length: 600 }, (_, index) => pair(6_000 + index)), { prompt: 'x' }];
  await expect(importLines(lines)).rejects.toMatchObject({
    code: 'record-invalid',
    message: expect.stringMatching(/data\.jsonl:601: chosen: /),
  });
  const large = { ...pair(7_000), rejected: 'x'.repeat(1024 * 1024 + 1) };
  await expect(importLines([large])).rejects.toThrow(/data\.jsonl:1: .*bytes/);
  const deep = { ...pair(7_000), more: JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) };
  await expect(importLines([deep])).rejects.toThrow(/data\.jsonl:1: .*too deeply/);
  expect(await count()).toBe(before);
});
