import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import type { PartStatus } from '../stack/stack-control.js';

export function register(program: Command): void {
  const stack = program.command('stack').description('the embedded PostgreSQL and Kafka of this checkout');
  stack
    .command('start')
    .description('start them and leave them running')
    .option('--json', 'one JSON object a line')
    .action(start);
  stack
    .command('stop')
    .description('stop what was left running: the servers, and a service of `quickstart --keep`')
    .action(stop);
  stack.command('status').description('what runs, and where').option('--json', 'one JSON object a line').action(status);
}

async function start(options: { json?: boolean }): Promise<void> {
  const { loadConfig } = await import('../config/config.js');
  const { startStack } = await import('../stack/stack.js');
  const config = loadConfig();
  const running = await startStack(config, ['postgres', 'kafka']);
  await running.keep();
  const { databaseUrl, kafkaBrokers } = running;
  if (options.json) return console.log(JSON.stringify({ databaseUrl, kafkaBrokers }));
  console.log(`DATABASE_URL=${databaseUrl}\nKAFKA_BROKERS=${kafkaBrokers.join(',')}`);
  console.error('They run until `driftloop stack stop`.');
}

async function stop(): Promise<void> {
  const { loadConfig } = await import('../config/config.js');
  const { stopStack } = await import('../stack/stack-control.js');
  const { EXIT } = await import('./program.js');
  const { stopped, users } = await stopStack(loadConfig());
  if (stopped.length > 0) console.log(`stopped ${stopped.join(', ')}`);
  if (users.length > 0) {
    console.log(`the servers are used by process ${users.join(', ')} and stop when that ends`);
  } else if (stopped.length === 0) {
    console.log('nothing runs');
    process.exitCode = EXIT.nothingToDo;
  }
}

async function status(options: { json?: boolean }): Promise<void> {
  const { loadConfig } = await import('../config/config.js');
  const { stackStatus } = await import('../stack/stack-control.js');
  const config = loadConfig();
  const { parts, kept, users } = stackStatus(config);
  for (const part of parts) console.log(options.json ? JSON.stringify(part) : describe(part, config));
  if (options.json) return;
  if (kept) console.log('kept: they run until `driftloop stack stop`');
  if (users.length > 0) console.log(`used by process ${users.join(', ')}`);
}

function describe({ part, state, pid, ports }: PartStatus, config: Config): string {
  if (state === 'running') return `${part}\trunning, process ${pid}, port ${ports?.join(', ')}`;
  if (state === 'configured') return `${part}\t${part === 'postgres' ? 'DATABASE_URL' : 'KAFKA_BROKERS'} is set`;
  return part === 'service' ? 'service\tstopped' : `${part}\tstopped, data in ${config.stateDir}`;
}
