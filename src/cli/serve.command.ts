import type { Command } from 'commander';

interface ServeOptions {
  roles?: string;
  apiPort?: string;
  managementPort?: string;
  portsFile?: string;
}

export function register(program: Command): void {
  program
    .command('serve')
    .description('run the service: consume chat turns, classify them, answer the API; until SIGTERM')
    .option('--roles <roles>', 'instead of DRIFTLOOP_ROLES: ingest, classify, api, separated by commas')
    .option('--api-port <port>', 'instead of DRIFTLOOP_API_PORT; 0 takes a free one')
    .option('--management-port <port>', 'instead of DRIFTLOOP_MANAGEMENT_PORT; 0 takes a free one')
    .option('--ports-file <file>', 'write {"pid", "apiPort", "managementPort"} there once everything listens')
    .action(async (options: ServeOptions) => {
      const { loadConfig } = await import('../config/config.js');
      const { serve } = await import('../serve.js');
      await serve(loadConfig({ ...process.env, ...overrides(options) }), options.portsFile);
    });
}

function overrides({ roles, apiPort, managementPort }: ServeOptions): NodeJS.ProcessEnv {
  const given = { DRIFTLOOP_ROLES: roles, DRIFTLOOP_API_PORT: apiPort, DRIFTLOOP_MANAGEMENT_PORT: managementPort };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
