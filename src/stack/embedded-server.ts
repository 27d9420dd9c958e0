import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../../scripts/setup/processes.mjs';
import { DriftError } from '../drift-error.js';
import { isFree } from './ports.js';
import { type ProcessRecord, type StopSignals, stopProcess, tail } from './server-process.js';
import type { ServerRecord } from './stack-state.js';

const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 100;
const ATTEMPTS = 3;

/** A server that the stack can run by itself, on a directory of its own. */
export interface EmbeddedServer {
  readonly title: string;
  readonly logFile: string;
  readonly stopSignals: StopSignals;
  /** Prepares the directory if it is new, and starts the process: on the ports it had last, where they are free. */
  start(lastPorts: number[]): Promise<ServerRecord>;
  /** Whether it does its work now. */
  answers(record: ServerRecord): Promise<boolean>;
  /** Processes that run on its directory. */
  running(): ProcessRecord[];
}

/**
 * The server that runs on the directory, or a new one; never a second one. One that was left behind without a record, or
 * that does not answer, is ended first.
 * @param save called as soon as a new process exists, so that it cannot be lost
 * @throws DriftError `stack-unavailable`
 */
export async function joinOrStart(
  server: EmbeddedServer,
  recorded: ServerRecord | undefined,
  lastPorts: number[],
  save: (record: ServerRecord) => void,
): Promise<ServerRecord> {
  if (recorded && (await becomesReady(server, recorded))) return recorded;
  if (recorded) await stopProcess(recorded, server.stopSignals);
  await Promise.all(server.running().map((orphan) => stopProcess(orphan, server.stopSignals)));
  for (let attempt = 1; ; attempt++) {
    const record = await server.start(attempt === 1 ? lastPorts : []);
    save(record);
    if (await becomesReady(server, record)) return record;
    await stopProcess(record, server.stopSignals);
    // Between the choice of a free port and its use, another program may take it.
    const portWasTaken = !(await allFree(record.ports));
    if (!portWasTaken || attempt === ATTEMPTS) throw notReady(server);
  }
}

async function allFree(ports: number[]): Promise<boolean> {
  return (await Promise.all(ports.map(isFree))).every(Boolean);
}

async function becomesReady(server: EmbeddedServer, record: ServerRecord): Promise<boolean> {
  for (const end = Date.now() + READY_TIMEOUT_MS; Date.now() < end; await sleep(POLL_MS)) {
    if (!isRunning(record)) return false;
    if (await server.answers(record)) return true;
  }
  return false;
}

function notReady({ title, logFile }: EmbeddedServer): DriftError {
  return new DriftError('stack-unavailable', `${title} did not start. The end of ${logFile}:\n  ${tail(logFile)}`, {
    facts: { logFile },
  });
}
