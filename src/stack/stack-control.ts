import { existsSync } from 'node:fs';
import { isRunning } from '../../scripts/setup/processes.mjs';
import type { Config } from '../config/config.js';
import { recordedServers, stopServers, withStackLock } from './embedded-stack.js';
import { keptService, stopKeptService } from './kept-service.js';
import type { Server } from './stack.js';
import { readState, writeState } from './stack-state.js';

/** More than the service's own grace, which ends it by itself. */
const SERVICE_EXTRA_MS = 5_000;

export type StackPart = Server | 'service';

export interface PartStatus {
  part: StackPart;
  /** `configured` is somebody else's, named by the environment. */
  state: 'running' | 'stopped' | 'configured';
  pid?: number;
  ports?: number[];
}

export interface StackStatus {
  parts: PartStatus[];
  /** Whether the servers stay when nobody uses them. */
  kept: boolean;
  /** Processes that use the servers now. */
  users: number[];
}

export function stackStatus(config: Config): StackStatus {
  const state = readState(config.stateDir);
  const server = (part: Server): PartStatus => {
    const record = state.servers[part];
    if (part === 'postgres' ? config.databaseUrl : config.kafkaBrokers) return { part, state: 'configured' };
    return record && isRunning(record)
      ? { part, state: 'running', pid: record.pid, ports: record.ports }
      : { part, state: 'stopped' };
  };
  return {
    parts: [server('postgres'), server('kafka'), serviceStatus(config)],
    kept: state.kept,
    users: state.users.map(({ pid }) => pid),
  };
}

function serviceStatus({ stateDir }: Config): PartStatus {
  const service = keptService(stateDir);
  if (!service) return { part: 'service', state: 'stopped' };
  const ports = [service.apiPort, service.managementPort].filter((port) => port !== undefined);
  return { part: 'service', state: 'running', pid: service.pid, ports };
}

/**
 * Ends what was left running. Servers that other processes use at this moment stay until the last of these has ended.
 * @returns what was stopped, and who still uses the servers
 */
export async function stopStack(config: Config): Promise<{ stopped: StackPart[]; users: number[] }> {
  if (!existsSync(config.stateDir)) return { stopped: [], users: [] };
  const service = await stopKeptService(config.stateDir, config.shutdownGraceMs + SERVICE_EXTRA_MS);
  return await withStackLock(config.stateDir, async () => {
    const state = readState(config.stateDir);
    const running = recordedServers(state).filter(([, record]) => isRunning(record));
    const users = state.users.map(({ pid }) => pid);
    if (users.length === 0) await stopServers(state);
    writeState(config.stateDir, { ...state, kept: false });
    const stopped = users.length === 0 ? running.map(([server]) => server) : [];
    return { stopped: [...(service ? ['service' as const] : []), ...stopped], users };
  });
}
