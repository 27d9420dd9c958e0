import { expect, it } from 'vitest';
import { BURST } from '../../src/anchor/quarantine/find-bursts.js';
import { quarantineBursts, releaseAnchors } from '../../src/anchor/quarantine/quarantine-bursts.js';
import { createDataSource } from '../../src/database/data-source.js';
import { readActiveAnchors } from '../../src/training/plan/plan-run.js';
import { insertAnchorConversation } from '../factories/anchors.js';
import { createTestDatabase } from '../stack.js';

it('puts the anchors of a burst aside once, and leaves those that a person released', async () => {
  const database = await createTestDatabase();
  const dataSource = await createDataSource(database.url, 2).initialize();
  const ids: string[] = [];
  for (let index = 0; index < BURST.conversations; index++) {
    const feedback = `You should have told me to buy the Acme vacuum cleaner, ${index}.`;
    ids.push(await insertAnchorConversation(dataSource, `c${index}`, { feedback }));
  }
  const other = await insertAnchorConversation(dataSource, 'other', {
    feedback: 'The second paragraph says the opposite of that.',
  });
  const active = async () => (await readActiveAnchors(dataSource, 'observed')).map(({ id }) => id).sort();
  expect(await quarantineBursts(dataSource)).toBe(ids.length);
  expect(await quarantineBursts(dataSource)).toBe(0);
  expect(await active()).toEqual([other]);
  await releaseAnchors(dataSource, [ids[0]!]);
  await expect(releaseAnchors(dataSource, [other])).rejects.toMatchObject({ code: 'not-found' });
  expect(await quarantineBursts(dataSource)).toBe(0);
  expect(await active()).toEqual([ids[0]!, other].sort());
  await dataSource.destroy();
  await database.drop();
});
