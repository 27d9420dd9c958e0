import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isKnownDead, processIdentity } from '../../src/training/store/process-identity.js';
import { TrainerLease } from '../../src/training/store/trainer-lease.js';
import { train } from '../../src/training/train.js';
import { insertAnchors, request, startTraining, type TrainingHarness } from './training-harness.js';

let harness: TrainingHarness;
beforeEach(async () => {
  harness = await startTraining();
});
afterEach(() => harness.close());

const holdAs = (holder: string) => harness.dataSource.query('UPDATE leases SET holder = $1', [holder]);
const expire = () => harness.dataSource.query(`UPDATE leases SET expires_at = now() - interval '1 second'`);

it('lets one trainer work at a time, and says who holds the lease and until when', async () => {
  const lease = await TrainerLease.acquire(harness.dataSource);
  await expect(train(harness, request())).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(new RegExp(`process ${process.pid} on .* until \\d{4}-\\d\\d-\\d\\dT`)),
  });
  await lease.release();
  await insertAnchors(harness.dataSource, 20);
  expect(await train(harness, request())).toMatchObject({ version: 'v1' });
});

it('passes an expired lease on, and its old holder cannot write any more', async () => {
  const old = await TrainerLease.acquire(harness.dataSource);
  await holdAs('another-host/1/2/3');
  await expire();
  const next = await TrainerLease.acquire(harness.dataSource);
  await expect(old.write((manager) => manager.query('DELETE FROM runs'))).rejects.toMatchObject({ code: 'lease-lost' });
  expect(old.signal.aborted).toBe(true);
  expect(await next.write((manager) => manager.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  await next.release();
});

it('keeps a lease that expired while nobody else wanted it', async () => {
  const lease = await TrainerLease.acquire(harness.dataSource);
  await expire();
  expect(await lease.write((manager) => manager.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  await lease.release();
});

it('takes the lease of a process that is dead at once, and of an unknown one only when it expires', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  const identity = processIdentity().replace(`/${process.pid}/`, `/${child.pid}/`);
  await once(child, 'exit');
  expect(isKnownDead(identity)).toBe(true);
  expect(isKnownDead(processIdentity())).toBe(false);
  const dead = await TrainerLease.acquire(harness.dataSource);
  await holdAs('another-host/1/2/3');
  await expect(TrainerLease.acquire(harness.dataSource)).rejects.toMatchObject({ code: 'conflict' });
  await holdAs(identity);
  const next = await TrainerLease.acquire(harness.dataSource);
  await expect(dead.write(async () => {})).rejects.toMatchObject({ code: 'lease-lost' });
  await next.release();
});

it('is renewed while it is held', async () => {
  const lease = await TrainerLease.acquire(harness.dataSource, 1);
  const read = () => harness.dataSource.query<{ expires_at: Date }[]>('SELECT expires_at FROM leases');
  const [{ expires_at: first }] = (await read()) as [{ expires_at: Date }];
  await expect.poll(async () => (await read())[0]!.expires_at.getTime()).toBeGreaterThan(first.getTime());
  await lease.release();
});
