import { type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, processIdentity } from '../../scripts/setup/processes.mjs';
import { DriftError } from '../drift-error.js';

/** A process, and what tells it from a later one with the same pid. */
export interface ProcessRecord {
  pid: number;
  identity: string;
}

/** How to ask a process to end: each signal is given so long before the next; then it is killed. */
export type StopSignals = { signal: NodeJS.Signals; graceMs: number }[];

const POLL_MS = 50;
const LOG_MAX_BYTES = 10_000_000;

/**
 * Starts a server that outlives this process and does not see its terminal's Ctrl-C. Output is appended to `logFile`.
 * @throws DriftError `stack-unavailable` if the program cannot be run
 */
export async function spawnServer(
  program: string,
  args: string[],
  logFile: string,
  options: Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'>,
): Promise<ProcessRecord> {
  const log = openLog(logFile);
  try {
    const child = spawn(program, args, { ...options, detached: true, stdio: ['ignore', log, log] });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    const pid = child.pid as number;
    return { pid, identity: processIdentity(pid) ?? 'ended' };
  } catch (cause) {
    const message = `${program} cannot be run: ${(cause as Error).message}`;
    throw new DriftError('stack-unavailable', message, { cause, facts: { program } });
  } finally {
    closeSync(log);
  }
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > LOG_MAX_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a');
}

/** The last lines of a log, for a message. */
export function tail(path: string, lines = 8): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n  ');
}

/** Ends a process and waits until it is gone. Does nothing if another process has its pid by now. */
export async function stopProcess(record: ProcessRecord, signals: StopSignals): Promise<void> {
  for (const { signal, graceMs } of [...signals, { signal: 'SIGKILL' as const, graceMs: 10_000 }]) {
    if (!signalProcess(record, signal)) return;
    if (await isGone(record, graceMs)) return;
  }
}

/** @returns whether the process was there */
export function signalProcess(record: ProcessRecord, signal: NodeJS.Signals): boolean {
  if (!isRunning(record)) return false;
  try {
    process.kill(record.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

async function isGone(record: ProcessRecord, withinMs: number): Promise<boolean> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(POLL_MS)) {
    if (!isRunning(record)) return true;
  }
  return !isRunning(record);
}

/**
 * Processes of a program whose working directory is `dir`: servers that were left behind without a record. Linux only;
 * elsewhere it finds none, and the servers' own lock files stand guard.
 */
export function processesIn(dir: string, program: string): ProcessRecord[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).flatMap((pid) => (worksIn(pid, dir, program) ? recordOf(pid) : []));
}

function worksIn(pid: number, dir: string, program: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === program && readlinkSync(`/proc/${pid}/cwd`) === dir;
  } catch {
    return false; // it has ended, or is another user's
  }
}

function recordOf(pid: number): ProcessRecord[] {
  const identity = processIdentity(pid);
  return identity === undefined ? [] : [{ pid, identity }];
}
