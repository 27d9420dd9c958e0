import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownIdentity } from '../../scripts/setup/processes.mjs';
import { type Config, loadConfig } from '../../src/config/config.js';
import { removeState } from '../../src/stack/postgres-account.js';
import { processesIn } from '../../src/stack/server-process.js';
import { startStack, withStack } from '../../src/stack/stack.js';
import { stackStatus, stopStack } from '../../src/stack/stack-control.js';
import { ensureTopics } from '../../src/stack/topics.js';

const STACK_MODULE = fileURLToPath(new URL('../../dist/src/stack/stack.js', import.meta.url));
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const throwaway = { throwaway: true };

let scratch: string;
let config: Config;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'driftloop-stack-'));
  chmodSync(scratch, 0o755);
  config = configAt(join(scratch, 'state'));
});

afterEach(async () => {
  await stopStack(config);
  removeState(config.stateDir);
  rmSync(scratch, { recursive: true });
});

function configAt(stateDir: string): Config {
  return loadConfig({ DRIFTLOOP_STATE_DIR: stateDir, DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE });
}

function pidOf(server: 'postgres' | 'kafka'): number | undefined {
  return stackStatus(config).parts.find(({ part }) => part === server)?.pid;
}

async function query(databaseUrl: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A process of its own that uses the stack, says where it is, and waits to be ended. */
async function userProcess(servers: string[], options: { uid?: number; gid?: number } = {}, first = '') {
  const script = `
    const { startStack } = await import(${JSON.stringify(pathToFileURL(STACK_MODULE).href)});
    ${first}
    const stack = await startStack(${JSON.stringify(config)}, ${JSON.stringify(servers)}, { throwaway: true });
    console.log(JSON.stringify(stack));
    setInterval(() => {}, 1_000);`;
  const args = ['--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'inherit'], ...options });
  const exited = once(child, 'exit');
  const [line] = await Promise.race([once(child.stdout, 'data'), exited]);
  return { child, exited, stack: JSON.parse(String(line)) as { databaseUrl: string } };
}

describe('one use after the other', () => {
  it('keeps rows, records and ports, also when the servers are killed in between', async () => {
    // Not `throwaway`, which does not promise that a commit survives a kill.
    const first = await startStack(config, ['postgres', 'kafka']);
    await query(first.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS value');
    await ensureTopics(first, [{ topic: 'kept', numPartitions: 1 }]);
    const producer = new Kafka({ brokers: first.kafkaBrokers, logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic: 'kept', messages: [{ value: 'said' }] });
    await producer.disconnect();
    process.kill(pidOf('postgres')!, 'SIGKILL');
    process.kill(pidOf('kafka')!, 'SIGKILL');
    await first.stop();

    const second = await startStack(config, ['postgres', 'kafka']);
    const admin = new Kafka({ brokers: second.kafkaBrokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets('kept');
    await admin.disconnect();
    expect(await query(second.databaseUrl, 'SELECT value FROM kept')).toEqual([{ value: 42 }]);
    expect(offsets[0]?.high).toBe('1');
    expect({ ...second, stop: undefined, keep: undefined }).toEqual({ ...first, stop: undefined, keep: undefined });
    await second.stop();
    expect(stackStatus(config).parts.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped']);
  });

  it('keeps the servers running when told so, until they are stopped', async () => {
    await (await startStack(config, ['postgres'], throwaway)).keep();
    const pid = pidOf('postgres');
    await withStack(config, ['postgres'], async () => expect(pidOf('postgres')).toBe(pid));
    expect(pidOf('postgres')).toBe(pid);
    expect(await stopStack(config)).toEqual({ stopped: ['postgres'], users: [] });
    expect(pidOf('postgres')).toBeUndefined();
  });

  it('stops what it started when the use throws', async () => {
    const failing = withStack(config, ['postgres'], async () => {
      throw new Error('of the use');
    });
    await expect(failing).rejects.toThrow('of the use');
    expect(pidOf('postgres')).toBeUndefined();
  });

  it('stops what it started on SIGTERM', async () => {
    const user = await userProcess(['postgres']);
    expect(pidOf('postgres')).toBeDefined();
    user.child.kill('SIGTERM');
    expect(await user.exited).toEqual([143, null]);
    expect(pidOf('postgres')).toBeUndefined();
  });

  it('leaves the servers to a use that handles SIGTERM itself, until that has ended', async () => {
    const handler = `process.once('SIGTERM', () => setTimeout(async () => {
      console.log('servers: ' + (await fetchOne(stack.databaseUrl)));
      await stack.stop();
      process.exit(7);
    }, 1_000));
    const { default: pg } = await import(${JSON.stringify(import.meta.resolve('pg'))});
    async function fetchOne(url) {
      const client = new pg.Client(url);
      await client.connect();
      const { rows } = await client.query('SELECT 1 AS one');
      await client.end();
      return rows[0].one;
    }`;
    const user = await userProcess(['postgres'], {}, handler);
    const [said] = await Promise.all([once(user.child.stdout, 'data'), user.child.kill('SIGTERM')]);
    expect(String(said)).toBe('servers: 1\n');
    expect(await user.exited).toEqual([7, null]);
    expect(pidOf('postgres')).toBeUndefined();
  });
});

describe('several uses at once', () => {
  it('starts each server once, and the last use to end stops them', async () => {
    const [first, second] = await Promise.all([userProcess(['postgres']), userProcess(['postgres'])]);
    expect(second.stack.databaseUrl).toBe(first.stack.databaseUrl);
    expect(stackStatus(config).users).toHaveLength(2);
    first.child.kill('SIGTERM');
    await first.exited;
    expect(await query(second.stack.databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    second.child.kill('SIGTERM');
    await second.exited;
    expect(pidOf('postgres')).toBeUndefined();
  });

  it('does not stop servers that another process uses', async () => {
    const user = await userProcess(['postgres']);
    expect(await stopStack(config)).toEqual({ stopped: [], users: [user.child.pid] });
    expect(await query(user.stack.databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    user.child.kill('SIGTERM');
    await user.exited;
  });
});

describe('after a kill -9', () => {
  it('joins the servers whose user was killed, and stops them afterwards', async () => {
    const killed = await userProcess(['postgres', 'kafka']);
    const pids = [pidOf('postgres'), pidOf('kafka')];
    killed.child.kill('SIGKILL');
    await killed.exited;
    const stack = await startStack(config, ['postgres', 'kafka'], throwaway);
    expect([pidOf('postgres'), pidOf('kafka')]).toEqual(pids);
    await stack.stop();
    expect([pidOf('postgres'), pidOf('kafka')]).toEqual([undefined, undefined]);
  });

  it.runIf(process.platform === 'linux')(
    'ends servers that nobody has a record of before it starts others',
    async () => {
      const lost = await startStack(config, ['postgres'], throwaway);
      await query(lost.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS value');
      const orphan = pidOf('postgres');
      writeFileSync(join(config.stateDir, 'stack.json'), '{"half": ');
      const stack = await startStack(config, ['postgres'], throwaway);
      expect(pidOf('postgres')).not.toBe(orphan);
      const data = join(realpathSync(join(config.stateDir, 'postgres')), 'data');
      expect(processesIn(data, 'postgres').map(({ pid }) => pid)).not.toContain(orphan);
      expect(await query(stack.databaseUrl, 'SELECT value FROM kept')).toEqual([{ value: 42 }]);
      await Promise.all([lost.stop(), stack.stop()]);
    },
  );

  it('is not misled by a process that has a recorded pid by now', async () => {
    await withStack(config, ['postgres'], async () => {});
    const state = JSON.parse(readFileSync(join(config.stateDir, 'stack.json'), 'utf8'));
    state.servers.postgres = { ...ownIdentity(), identity: 'of a process that has ended', ports: state.ports.postgres };
    state.users = [{ ...ownIdentity(), identity: 'of a process that has ended', id: 'x' }];
    writeFileSync(join(config.stateDir, 'stack.json'), JSON.stringify(state));
    const pidFile = join(config.stateDir, 'postgres', 'data', 'postmaster.pid');
    const { uid, gid } = statSync(join(config.stateDir, 'postgres'));
    const stranger = spawn('sleep', ['600'], isRoot ? { uid, gid } : {});
    writeFileSync(pidFile, `${stranger.pid}\n`);
    await withStack(config, ['postgres'], async ({ databaseUrl }) => {
      expect(await query(databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(stackStatus(config).users).toEqual([process.pid]);
    });
    expect(stranger.exitCode).toBeNull();
    stranger.kill();
  });
});

describe.runIf(isRoot)('as root', () => {
  it('keeps the database where the unprivileged server can reach it, if that is not below the state directory', async () => {
    chmodSync(scratch, 0o700);
    let home = '';
    await withStack(config, ['postgres'], async ({ databaseUrl }) => {
      home = realpathSync(join(config.stateDir, 'postgres'));
      expect(home).toMatch(/^\/var\/tmp\/driftloop-postgres-/);
      await query(databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS value');
    });
    await withStack(config, ['postgres'], async ({ databaseUrl }) => {
      expect(realpathSync(join(config.stateDir, 'postgres'))).toBe(home);
      expect(await query(databaseUrl, 'SELECT value FROM kept')).toEqual([{ value: 42 }]);
    });
  });

  it('also works for a user who is not root', async () => {
    const home = join(scratch, 'home');
    mkdirSync(home);
    chownSync(home, NOBODY, NOBODY);
    config = configAt(join(home, 'state'));
    const user = await userProcess(['postgres'], { uid: NOBODY, gid: NOBODY });
    expect(await query(user.stack.databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    user.child.kill('SIGTERM');
    await user.exited;
  });
});

it('names the log and its end when a server does not start', async () => {
  await withStack(config, ['postgres'], async () => {});
  rmSync(join(config.stateDir, 'postgres', 'data', 'global'), { recursive: true });
  await expect(withStack(config, ['postgres'], async () => {})).rejects.toMatchObject({
    code: 'stack-unavailable',
    message: expect.stringMatching(/postgres\.log:\n.*global/s),
  });
  expect(stackStatus(config).users).toEqual([]);
});
