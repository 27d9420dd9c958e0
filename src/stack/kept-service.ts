import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { processIdentity } from '../../scripts/setup/processes.mjs';
import { type ProcessRecord, stopProcess } from './server-process.js';

const record = z.object({
  pid: z.number().int().positive(),
  apiPort: z.number().optional(),
  managementPort: z.number(),
});

export type KeptService = z.output<typeof record> & ProcessRecord;

/** Where a service that was left running says who and where it is (`serve --ports-file`). */
export const serviceFile = (stateDir: string) => join(stateDir, 'serve.json');

/** The service that was left running on this state directory, if it runs still. */
export function keptService(stateDir: string): KeptService | undefined {
  const file = serviceFile(stateDir);
  const service = record.safeParse(readJson(file)).data;
  const identity = service && processIdentity(service.pid);
  if (!service || !identity) return undefined;
  // The pid may be another process by now; only that service was started with this file's name.
  return commandLine(service.pid).includes(file) ? { ...service, identity } : undefined;
}

/** Ends the service that was left running: it drains within `graceMs`. */
export async function stopKeptService(stateDir: string, graceMs: number): Promise<KeptService | undefined> {
  const service = keptService(stateDir);
  if (service) await stopProcess(service, [{ signal: 'SIGTERM', graceMs }]);
  rmSync(serviceFile(stateDir), { force: true });
  return service;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return ''; // it has just ended
  }
}
