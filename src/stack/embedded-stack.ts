import { randomUUID } from 'node:crypto';
import { withLock, withLockIfFree } from '../../scripts/setup/lock.mjs';
import { isRunning, ownIdentity } from '../../scripts/setup/processes.mjs';
import type { Config } from '../config/config.js';
import { EmbeddedKafka } from './embedded-kafka.js';
import { EmbeddedPostgres } from './embedded-postgres.js';
import { joinOrStart } from './embedded-server.js';
import { withProgress } from './progress.js';
import { type StopSignals, signalProcess, stopProcess } from './server-process.js';
import type { Server, Stack, StackOptions } from './stack.js';
import { lockPath, readState, type ServerRecord, type StackState, writeState } from './stack-state.js';

const TITLES: Record<Server, string> = { postgres: 'PostgreSQL', kafka: 'Apache Kafka' };
const STOP_SIGNALS: Record<Server, StopSignals> = {
  postgres: EmbeddedPostgres.STOP_SIGNALS,
  kafka: EmbeddedKafka.STOP_SIGNALS,
};

/** One use of the embedded servers of a state directory. The last use to end stops them, unless they are kept. */
export class EmbeddedUse {
  private readonly user = { ...ownIdentity(), id: randomUUID() };
  private ended = false;

  constructor(
    private readonly config: Config,
    private readonly needs: Server[],
    private readonly options: StackOptions,
  ) {}

  /**
   * Joins the servers that run and starts those that do not, at the same time.
   * @throws DriftError `stack-unavailable`, `asset-missing`
   */
  async enter(): Promise<Stack> {
    return await this.locked(async () => {
      const state = readState(this.config.stateDir);
      if (!recordedServers(state).some(([, record]) => isRunning(record))) state.kept = false;
      state.users.push(this.user);
      writeState(this.config.stateDir, state);
      try {
        return await this.startAll(state);
      } catch (error) {
        await this.leaveLocked(state);
        throw error;
      }
    });
  }

  /** Ends this use; does nothing the second time. */
  async leave({ keep = false } = {}): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await this.locked(async () => {
      const state = readState(this.config.stateDir);
      state.kept ||= keep;
      await this.leaveLocked(state);
    });
  }

  /** The same when the process exits: nothing can be waited for. Whoever holds the lock now stops the servers later. */
  leaveNow(): void {
    if (this.ended) return;
    withLockIfFree(lockPath(this.config.stateDir), () => {
      const state = readState(this.config.stateDir);
      this.forget(state);
      if (isWanted(state)) return writeState(this.config.stateDir, state);
      for (const [server, record] of recordedServers(state)) signalProcess(record, STOP_SIGNALS[server][0]!.signal);
      writeState(this.config.stateDir, { ...state, servers: {} });
    });
  }

  private async startAll(state: StackState): Promise<Stack> {
    const [databaseUrl, kafkaBrokers] = await settle([
      this.needs.includes('postgres') ? this.startPostgres(state) : '',
      this.needs.includes('kafka') ? this.startKafka(state) : [],
    ]);
    return { databaseUrl, kafkaBrokers };
  }

  private async startPostgres(state: StackState): Promise<string> {
    const server = new EmbeddedPostgres(this.config, this.options.throwaway ?? false);
    return server.url(await this.joinOrStart('postgres', server, state));
  }

  private async startKafka(state: StackState): Promise<string[]> {
    const server = new EmbeddedKafka(this.config, this.options.throwaway ?? false);
    return server.brokers(await this.joinOrStart('kafka', server, state));
  }

  private joinOrStart(
    name: Server,
    server: EmbeddedPostgres | EmbeddedKafka,
    state: StackState,
  ): Promise<ServerRecord> {
    const save = (record: ServerRecord) => {
      state.servers[name] = record;
      state.ports[name] = record.ports;
      writeState(this.config.stateDir, state);
    };
    const run = () => joinOrStart(server, state.servers[name], state.ports[name], save);
    return withProgress(`starting the embedded ${TITLES[name]}`, run);
  }

  private async leaveLocked(state: StackState): Promise<void> {
    this.forget(state);
    if (!isWanted(state)) await stopServers(state);
    writeState(this.config.stateDir, state);
  }

  private forget(state: StackState): void {
    state.users = state.users.filter(({ id }) => id !== this.user.id);
  }

  private locked<T>(run: () => Promise<T>): Promise<T> {
    return withStackLock(this.config.stateDir, run);
  }
}

/** Waits for all, then fails with the first failure: nothing is still being started when the others are stopped. */
async function settle<A, B>(started: [A | Promise<A>, B | Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(started);
  return await Promise.all(started);
}

function isWanted(state: StackState): boolean {
  return state.kept || state.users.length > 0;
}

export function recordedServers(state: StackState): [Server, ServerRecord][] {
  return Object.entries(state.servers) as [Server, ServerRecord][];
}

export async function stopServers(state: StackState): Promise<void> {
  const stops = recordedServers(state).map(([server, record]) => stopProcess(record, STOP_SIGNALS[server]));
  await withProgress('stopping the embedded servers', () => Promise.all(stops));
  state.servers = {};
}

export async function withStackLock<T>(stateDir: string, run: () => Promise<T>): Promise<T> {
  return await withLock(lockPath(stateDir), run, (pid) => {
    if (pid !== process.pid)
      console.error(`waiting for process ${pid}, which is starting or stopping the embedded servers`);
  });
}
