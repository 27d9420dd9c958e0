import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withLock, withLockIfFree } from './lock.mjs';
import { isRunning, ownIdentity, processIdentity } from './processes.mjs';

const MODULE = new URL('./lock.mjs', import.meta.url).href;
let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftloop-lock-'));
  path = join(dir, 'a.lock');
});

afterEach(() => rmSync(dir, { recursive: true }));

function run(script: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, exited: once(child, 'exit') };
}

function heldBy(holder: { pid: number; identity: string }): void {
  symlinkSync(JSON.stringify({ ...holder, host: hostname() }), path);
}

it('lets one process at a time in', async () => {
  const counter = join(dir, 'counter');
  writeFileSync(counter, '0');
  const script = `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    const { withLock } = await import(${JSON.stringify(MODULE)});
    for (let i = 0; i < 5; i++) await withLock(${JSON.stringify(path)}, async () => {
      const count = Number(readFileSync(${JSON.stringify(counter)}, 'utf8'));
      await setTimeout(5);
      writeFileSync(${JSON.stringify(counter)}, String(count + 1));
    });`;
  await Promise.all([run(script), run(script), run(script)].map(({ exited }) => exited));
  expect(readFileSync(counter, 'utf8')).toBe('15');
});

it('breaks the lock of a process that was killed', async () => {
  const holder = run(`
    const { withLock } = await import(${JSON.stringify(MODULE)});
    await withLock(${JSON.stringify(path)}, () => new Promise(() => { console.log('held'); setInterval(() => {}, 1_000); }));`);
  await once(holder.child.stdout, 'data');
  holder.child.kill('SIGKILL');
  await holder.exited;
  expect(await withLock(path, async () => 'entered')).toBe('entered');
});

it('breaks the lock of a process whose pid is another by now', async () => {
  heldBy({ ...ownIdentity(), identity: 'of a process that has ended' });
  expect(await withLock(path, async () => 'entered')).toBe('entered');
});

it('waits for a process that runs, and says for which one', async () => {
  heldBy(ownIdentity());
  const waitedFor: number[] = [];
  const entered = withLock(
    path,
    async () => 'entered',
    (pid) => {
      waitedFor.push(pid);
      rmSync(path);
    },
  );
  expect(await entered).toBe('entered');
  expect(waitedFor).toEqual([process.pid]);
});

it('is free again when what it guards fails', async () => {
  await expect(withLock(path, () => Promise.reject(new Error('inside')))).rejects.toThrow('inside');
  expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
});

it('is left alone by one who cannot wait', () => {
  const entered: string[] = [];
  withLockIfFree(path, () => entered.push('free'));
  heldBy(ownIdentity());
  withLockIfFree(path, () => entered.push('held'));
  expect(entered).toEqual(['free']);
});

it('tells a process from one that has ended, and from one that only waits to be reaped', async () => {
  expect(isRunning(ownIdentity())).toBe(true);
  const { child, exited } = run('');
  const pid = child.pid as number;
  await exited;
  expect(processIdentity(pid)).toBeUndefined();
});
