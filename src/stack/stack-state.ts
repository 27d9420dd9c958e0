import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isRunning } from '../../scripts/setup/processes.mjs';

const processRecord = z.object({ pid: z.number().int().positive(), identity: z.string() });
const serverRecord = processRecord.extend({ ports: z.array(z.number().int()) });

const stackState = z.object({
  /** Whether the servers stay when nobody uses them: `stack start`, `quickstart --keep`. */
  kept: z.boolean().default(false),
  /** Who uses the servers now; the last to leave stops them. `id` tells two uses in one process apart. */
  users: z.array(processRecord.extend({ id: z.string() })).default([]),
  servers: z.object({ postgres: serverRecord.optional(), kafka: serverRecord.optional() }).default({}),
  /** Where each server listened last: it comes back there if it can. */
  ports: z.object({ postgres: z.array(z.number()).default([]), kafka: z.array(z.number()).default([]) }).prefault({}),
});

/** What runs on a state directory. Read and written under its lock only. */
export type StackState = z.output<typeof stackState>;
export type ServerRecord = z.output<typeof serverRecord>;

export const lockPath = (stateDir: string) => join(stateDir, 'stack.lock');
const statePath = (stateDir: string) => join(stateDir, 'stack.json');

/** The recorded state, without the users that have ended. A missing or damaged file is an empty state. */
export function readState(stateDir: string): StackState {
  const state = stackState.safeParse(parse(stateDir)).data ?? stackState.parse({});
  return { ...state, users: state.users.filter(isRunning) };
}

function parse(stateDir: string): unknown {
  try {
    return JSON.parse(readFileSync(statePath(stateDir), 'utf8'));
  } catch {
    return {};
  }
}

export function writeState(stateDir: string, state: StackState): void {
  mkdirSync(stateDir, { recursive: true });
  const temporary = `${statePath(stateDir)}.${process.pid}`;
  const fd = openSync(temporary, 'w', 0o600);
  writeSync(fd, `${JSON.stringify(state, null, 2)}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temporary, statePath(stateDir));
}
