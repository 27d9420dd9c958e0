import type { Config } from '../config/config.js';
import type { KafkaServers } from '../kafka/kafka-servers.js';
import { EmbeddedUse } from './embedded-stack.js';
import { leaveOnExit } from './exit.js';

export type Server = 'postgres' | 'kafka';

/** Where the servers are; the ones that were not asked for are empty. */
export interface Stack extends KafkaServers {
  databaseUrl: string;
}

export interface StackOptions {
  /** For tests: small heap, nothing synced to disk. */
  throwaway?: boolean;
}

export interface RunningStack extends Stack {
  /** Ends this use of the servers: they stop when nobody else uses them, unless they are kept. */
  stop(): Promise<void>;
  /** Ends this use and leaves the servers running, until `driftloop stack stop`. */
  keep(): Promise<void>;
}

/**
 * Runs `use` with the servers it needs: those of the configuration, else the embedded ones, joined or started. What was
 * started is stopped when `use` ends, throws, or the process gets SIGINT or SIGTERM. A `use` that handles these signals
 * itself keeps its servers until it has ended.
 * @throws DriftError `stack-unavailable`, `asset-missing`
 */
export async function withStack<T>(config: Config, needs: Server[], use: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startStack(config, needs);
  try {
    const { databaseUrl, kafkaBrokers, kafkaSecurity } = stack;
    return await use({ databaseUrl, kafkaBrokers, kafkaSecurity });
  } finally {
    await stack.stop();
  }
}

/**
 * The same for a use that does not end with a function: whoever calls it calls `stop` or `keep`.
 * @throws DriftError `stack-unavailable`, `asset-missing`
 */
export async function startStack(config: Config, needs: Server[], options: StackOptions = {}): Promise<RunningStack> {
  const external: Stack = {
    databaseUrl: needs.includes('postgres') ? (config.databaseUrl ?? '') : '',
    kafkaBrokers: needs.includes('kafka') ? (config.kafkaBrokers ?? []) : [],
    kafkaSecurity: config.kafkaSecurity,
  };
  const embedded = needs.filter((server) => (server === 'postgres' ? !config.databaseUrl : !config.kafkaBrokers));
  if (embedded.length === 0) return { ...external, stop: async () => {}, keep: async () => {} };
  const use = new EmbeddedUse(config, embedded, options);
  const release = leaveOnExit(use);
  try {
    const started = await use.enter();
    return {
      databaseUrl: external.databaseUrl || started.databaseUrl,
      kafkaBrokers: external.kafkaBrokers.length > 0 ? external.kafkaBrokers : started.kafkaBrokers,
      kafkaSecurity: external.kafkaSecurity,
      stop: () => use.leave().finally(release),
      keep: () => use.leave({ keep: true }).finally(release),
    };
  } catch (error) {
    release();
    throw error;
  }
}
