import { afterAll, beforeAll, expect, it } from 'vitest';
import { exportLines } from '../../src/anchor/anchor-export.js';
import { listAnchors, readAnchorCase, readAnchorCases, readSeedPairs } from '../../src/anchor/anchor-read.js';
import { createDataSource } from '../../src/database/data-source.js';
import { insertAnchor, insertAnchorConversation, insertTurns } from '../factories/anchors.js';
import { createTestDatabase } from '../stack.js';

const database = await createTestDatabase();
const dataSource = createDataSource(database.url, 2);
beforeAll(() => dataSource.initialize());
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

it('reads prompt, rejected and feedback of an anchor', async () => {
  const id = await insertAnchorConversation(dataSource, 'whole', { policyVersion: 'v3' });
  expect(await readAnchorCase(dataSource, id)).toMatchObject({
    id,
    conversationId: 'whole',
    turn: 3,
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'What is whole?' },
    ],
    rejected: 'It is a long story.',
    feedback: 'That is not an answer.',
    rubric: 'revision',
    confidence: 0.9,
    policyVersion: 'v3',
    model: null,
  });
});

it('begins the prompt after the last turn that is missing', async () => {
  await insertTurns(dataSource, 'holes', [
    { role: 'user', content: 'lost in time' },
    undefined,
    { role: 'user', content: 'the request' },
    { role: 'tool', content: 'a result' },
    { role: 'assistant', content: 'the reply' },
    { role: 'user', content: 'no' },
  ]);
  await insertAnchor(dataSource, 'holes', 5);
  const [anchor] = (await readAnchorCases(dataSource)).filter(({ conversationId }) => conversationId === 'holes');
  expect(anchor?.prompt.map(({ content }) => content)).toEqual(['the request', 'a result']);
});

it('has an empty prompt where nothing came right before the reply', async () => {
  await insertTurns(dataSource, 'bare', [
    { role: 'user', content: 'far away' },
    undefined,
    { role: 'assistant', content: 'the reply' },
    { role: 'user', content: 'no' },
  ]);
  const id = await insertAnchor(dataSource, 'bare', 3);
  expect((await readAnchorCase(dataSource, id)).prompt).toEqual([]);
});

it('says that there is no such anchor, whatever the id looks like', async () => {
  await expect(readAnchorCase(dataSource, 'nonsense')).rejects.toMatchObject({ code: 'not-found' });
  await expect(readAnchorCase(dataSource, '00000000-0000-8000-8000-000000000000')).rejects.toMatchObject({
    code: 'not-found',
  });
});

it('filters by state, rubric and time, and pages through anchors of the same moment without losing one', async () => {
  const createdAt = new Date('2030-01-01T00:00:00Z');
  const style = { rubric: 'style', createdAt };
  const names = ['p1', 'p2', 'p3', 'p4', 'p5'];
  for (const name of names) await insertAnchorConversation(dataSource, name, style);
  await insertAnchorConversation(dataSource, 'p6', { ...style, state: 'retired' });

  const filter = { rubric: 'style', state: 'active', since: createdAt, limit: 2 } as const;
  const seen: string[] = [];
  for (let page = await listAnchors(dataSource, filter); page.length > 0; ) {
    seen.push(...page.map(({ conversationId }) => conversationId));
    page = await listAnchors(dataSource, { ...filter, after: page.at(-1)?.id });
  }
  expect(seen.toSorted()).toEqual(names);
  expect(await listAnchors(dataSource, { since: new Date('2031-01-01T00:00:00Z') })).toEqual([]);
});

it('reads a seed pair with the reply that satisfied', async () => {
  await insertTurns(dataSource, 'seed', [
    { role: 'user', content: 'the request' },
    { role: 'assistant', content: 'a poor reply' },
    { role: 'user', content: 'try again' },
    { role: 'assistant', content: 'a good reply' },
    { role: 'user', content: 'thanks!' },
  ]);
  const id = await insertAnchor(dataSource, 'seed', 2);
  await dataSource.query(
    `INSERT INTO seed_pairs (id, conversation_id, turn, chosen_turn, sat_turn, similarity) VALUES ($1, 'seed', 2, 3, 4, 0.8)`,
    [id],
  );
  expect(await readSeedPairs(dataSource)).toMatchObject([
    {
      prompt: [{ role: 'user', content: 'the request' }],
      rejected: 'a poor reply',
      chosen: 'a good reply',
      chosenTurn: 3,
    },
  ]);
});

it('exports TRL preference lines, as many as asked for', async () => {
  const lines: string[] = [];
  for await (const line of exportLines(dataSource, { rubric: 'style', limit: 3 })) lines.push(line);
  expect(lines).toHaveLength(3);
  const [first] = lines.map((line) => JSON.parse(line));
  expect(first).toMatchObject({
    prompt: [{ role: 'system' }, { role: 'user' }],
    rejected: [{ role: 'assistant', content: 'It is a long story.' }],
    feedback: 'That is not an answer.',
    rubric: 'style',
  });
  expect(lines.every((line) => line.endsWith('}\n'))).toBe(true);
});
