import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { removeState } from '../../src/stack/postgres-account.js';
import { asRecord, conversation } from '../factories/turns.js';
import { Place } from '../faults/place.js';
import { Servers } from '../faults/servers.js';
import { type ServeProcess, startServe, waitFor } from './serve-process.js';

/** Until kafkajs has given up on its connection, and tries to connect anew. */
const AWAY_MS = 12_000;

const dir = mkdtempSync(join(tmpdir(), 'driftloop-broker-away-'));
chmodSync(dir, 0o755); // PostgreSQL may run as another user
const servers = new Servers(loadConfig({ DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE, DRIFTLOOP_STATE_DIR: dir }));
let place: Place;

beforeAll(async () => {
  await servers.start();
  place = await Place.create(servers, 'away');
});
afterAll(async () => {
  await place.close();
  await servers.stop();
  removeState(dir);
});

const say = (name: string) => place.send(conversation(name, ['Hm?', 'Well.', 'BAD']).map(asRecord));
const stored = () => waitFor(async () => ((await place.behind()) === 0 ? true : undefined));
const status = async ({ managementPort }: ServeProcess) =>
  (await fetch(`http://127.0.0.1:${managementPort}/readyz`)).status;

async function loseBroker(service: ServeProcess): Promise<void> {
  await servers.kafka.stop('SIGKILL');
  await waitFor(async () => ((await status(service)) === 503 ? true : undefined));
  await sleep(AWAY_MS);
}

it('reads on when the broker is back, and ends by SIGTERM while it is away, also where it comes back meanwhile', async () => {
  const service = await startServe({ ...place.env, DRIFTLOOP_ROLES: 'ingest' }, dir);
  await say('before');
  await stored();
  await loseBroker(service);
  await servers.kafka.start();
  await say('after');
  await stored();
  expect(await status(service)).toBe(200);
  await loseBroker(service);
  const ended = service.end('SIGTERM');
  await servers.kafka.start();
  expect(await ended).toMatchObject({ code: 0 });
});
