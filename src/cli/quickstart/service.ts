import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.js';
import { DriftError } from '../../drift-error.js';
import type { Stack } from '../../stack/stack.js';

/** The CLI's entry point, as this process was started with it. */
const MAIN = process.argv[1] ?? '';
const START_TIMEOUT_MS = 60_000;

export interface Service {
  apiPort: number;
  managementPort: number;
  /** SIGTERM, and waits for the drain to end. */
  stop(): Promise<void>;
  /** Lets the service outlive this process. */
  release(): void;
}

/** Environment of a child that uses the same servers. */
export function stackEnv({ databaseUrl, kafkaBrokers }: Stack): NodeJS.ProcessEnv {
  return { ...process.env, DATABASE_URL: databaseUrl, KAFKA_BROKERS: kafkaBrokers.join(',') };
}

/**
 * Starts `driftloop serve` as a process of its own, in its own session, and waits until it is ready.
 * @throws DriftError `stack-unavailable` with the place of its log
 */
export async function startService(config: Config, stack: Stack): Promise<Service> {
  const log = join(config.stateDir, 'logs', 'serve.log');
  const portsFile = join(config.stateDir, 'serve.json');
  mkdirSync(join(config.stateDir, 'logs'), { recursive: true });
  rmSync(portsFile, { force: true });
  const output = openSync(log, 'a');
  const child = spawn(process.execPath, [MAIN, 'serve', '--ports-file', portsFile], {
    env: { DRIFTLOOP_API_PORT: '0', DRIFTLOOP_MANAGEMENT_PORT: '0', ...stackEnv(stack) },
    stdio: ['ignore', output, output],
    detached: true,
  });
  const ports = await waitForPorts(child, portsFile, log);
  return { ...ports, stop: () => stop(child, portsFile), release: () => child.unref() };
}

async function waitForPorts(child: ChildProcess, portsFile: string, log: string) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    const ports = readPorts(portsFile);
    if (ports && (await isReady(ports.managementPort))) return ports;
    await delay(200);
  }
  child.kill('SIGTERM');
  const what =
    child.exitCode === null ? `was not ready after ${START_TIMEOUT_MS / 1000} s` : `ended with ${child.exitCode}`;
  throw new DriftError('stack-unavailable', `The service ${what}. Its log is ${log}.`);
}

function readPorts(file: string): { apiPort: number; managementPort: number } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

async function isReady(managementPort: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${managementPort}/readyz`).catch(() => undefined);
  return answer?.ok ?? false;
}

async function stop(child: ChildProcess, portsFile: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(portsFile, { force: true });
}
