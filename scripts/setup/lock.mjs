import { lstatSync, lutimesSync, mkdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, ownIdentity } from './processes.mjs';

const POLL_MS = 100;
const HEARTBEAT_MS = 10_000;
/** A holder on another host (a container that shares the directory) cannot be asked; it is dead without heartbeats. */
const FOREIGN_STALE_MS = 60_000;

/**
 * Runs `run` while holding the lock at `path`, across processes. The lock is a symbolic link whose target says who
 * holds it: made in one system call, never half written. A dead holder's lock is broken.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} run
 * @param {(holderPid: number) => void} [onWait] called once if the lock is held by another
 * @returns {Promise<T>}
 */
export async function withLock(path, run, onWait) {
  await acquire(path, onWait);
  const heartbeat = setInterval(() => touch(path), HEARTBEAT_MS);
  try {
    return await run();
  } finally {
    clearInterval(heartbeat);
    removeIfThere(path);
  }
}

/**
 * Runs `run` while holding the lock, or not at all: for the end of a process, which cannot wait.
 * @param {string} path
 * @param {() => void} run
 */
export function withLockIfFree(path, run) {
  if (!tryLink(path)) return;
  try {
    run();
  } finally {
    removeIfThere(path);
  }
}

/**
 * @param {string} path
 * @param {((holderPid: number) => void) | undefined} onWait
 */
async function acquire(path, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryLink(path)) {
    const target = readTarget(path);
    if (target === undefined) continue;
    if (isDead(path, target)) {
      breakLock(path, target);
      continue;
    }
    if (!told) onWait?.(JSON.parse(target).pid);
    told = true;
    await sleep(POLL_MS);
  }
}

/** @param {string} path */
function tryLink(path) {
  try {
    symlinkSync(JSON.stringify({ ...ownIdentity(), host: hostname() }), path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path */
function readTarget(path) {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} path
 * @param {string} target
 */
function isDead(path, target) {
  const holder = JSON.parse(target);
  return holder.host === hostname() ? !isRunning(holder) : ageMs(path) > FOREIGN_STALE_MS;
}

/**
 * Removes a dead holder's lock. Only one process may do so at a time, and only while it is still the same lock:
 * otherwise the second of two would remove the lock that the first has just taken.
 * @param {string} path
 * @param {string} target
 */
function breakLock(path, target) {
  const breaker = `${path}.breaking`;
  if (!tryLink(breaker)) {
    if (ageMs(breaker) > FOREIGN_STALE_MS) removeIfThere(breaker);
    return;
  }
  if (readTarget(path) === target) removeIfThere(path);
  removeIfThere(breaker);
}

/** @param {string} path */
function removeIfThere(path) {
  try {
    unlinkSync(path);
  } catch {
    // another process was faster, or the directory was deleted
  }
}

/** @param {string} path */
function ageMs(path) {
  try {
    return Date.now() - lstatSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** @param {string} path */
function touch(path) {
  const now = new Date();
  try {
    lutimesSync(path, now, now);
  } catch {
    // the directory was deleted under us
  }
}
