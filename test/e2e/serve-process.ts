import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const MAIN = 'dist/src/main.js';

export interface ServeProcess {
  child: ChildProcess;
  apiPort?: number;
  managementPort: number;
  /** All that it has logged and printed so far. */
  output(): string;
  /** Sends the signal and resolves to how the process ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts the built `driftloop serve` and resolves once it listens. */
export async function startServe(env: Record<string, string>, dir: string): Promise<ServeProcess> {
  const portsFile = join(dir, `ports-${Date.now()}.json`);
  const child = spawn(process.execPath, [MAIN, 'serve', '--ports-file', portsFile], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const output = () => Buffer.concat(chunks).toString();
  const exited = once(child, 'exit');
  const ports = await waitFor(async () => {
    if (child.exitCode !== null) throw new Error(`driftloop serve ended with ${child.exitCode}:\n${output()}`);
    return readFile(portsFile, 'utf8').then(JSON.parse, () => undefined);
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const [code, by] = await exited;
    return { code, signal: by };
  };
  return { child, apiPort: ports.apiPort, managementPort: ports.managementPort, output, end };
}

/** Asks until there is an answer; the test's own timeout ends it otherwise. */
export async function waitFor<T>(ask: () => Promise<T | undefined>, everyMs = 50): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(everyMs);
  }
}
