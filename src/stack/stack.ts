import type { Config } from '../config/config.js';

export type Server = 'postgres' | 'kafka';

/** Where the servers are; the ones that were not asked for are empty. */
export interface Stack {
  databaseUrl: string;
  kafkaBrokers: string[];
}

/** Runs `use` with the servers it needs: those of the configuration, else the embedded ones, joined or started. */
export async function withStack<T>(_config: Config, _needs: Server[], _use: (stack: Stack) => Promise<T>): Promise<T> {
  throw new Error('filled in by the stack');
}
