import type { DataSource } from 'typeorm';
import type { Config } from '../../config/config.js';
import { createDataSource } from '../../database/data-source.js';
import { migrate } from '../../database/migrate.js';
import { DriftError } from '../../drift-error.js';
import { type RunningStack, startStack } from '../../stack/stack.js';
import type { TrainSummary } from '../../training/summary.js';
import { Console } from './console.js';
import { countFound, exampleAnchors, renderAnchor, renderFound } from './found.js';
import { readPublishedEvent } from './read-event.js';
import { replayNew } from './replay-new.js';
import { type Service, startService } from './service.js';
import { renderSummary } from './summary.js';
import { runTrainer } from './train-child.js';

export interface QuickstartOptions {
  conversations: number;
  /** Leaves the servers and the service running. */
  keep: boolean;
}

/** The whole loop on real conversations, from an empty database to a published policy version. */
export async function quickstart(config: Config, options: QuickstartOptions): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new DriftError('interrupted', 'Interrupted; run it again to go on.'));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);

  const console = new Console();
  console.heading('PostgreSQL and Kafka');
  const stack = await startStack(config, ['postgres', 'kafka']);
  let keep = false;
  try {
    await runLoop(config, stack, options, console, interrupted.signal);
    keep = options.keep;
  } finally {
    await (keep ? stack.keep() : stack.stop());
  }
  if (!keep) console.say(`\nStopped what was started. The service on the same data: npx driftloop serve`);
}

async function runLoop(
  config: Config,
  stack: RunningStack,
  options: QuickstartOptions,
  console: Console,
  signal: AbortSignal,
) {
  console.say(`  PostgreSQL ${new URL(stack.databaseUrl).host}, Kafka ${stack.kafkaBrokers.join(', ')}`);
  const applied = await migrate(stack.databaseUrl);
  console.say(`  ${applied.length} migrations applied`);
  const dataSource = await createDataSource(stack.databaseUrl, 4).initialize();
  let service: Service | undefined;
  let keep = false;
  try {
    console.heading('The service: ingest, classify, api');
    service = await startService(config, stack);
    await ingest(config, stack, dataSource, options, console, signal);
    await train(config, stack, dataSource, console, signal);
    keep = options.keep;
    if (keep) sayAddresses(service, console);
  } finally {
    await dataSource.destroy();
    if (keep) service?.release();
    else await service?.stop();
  }
}

async function ingest(
  config: Config,
  stack: RunningStack,
  dataSource: DataSource,
  { conversations }: QuickstartOptions,
  console: Console,
  signal: AbortSignal,
) {
  console.heading(`Replay of ${conversations} real conversations through Kafka`);
  await replayNew(config, stack, dataSource, conversations, console, signal);
  console.heading('Found');
  console.say(renderFound(await countFound(dataSource)));
  for (const anchor of await exampleAnchors(dataSource, 3)) console.say(`\n${renderAnchor(anchor)}`);
}

async function train(
  config: Config,
  stack: RunningStack,
  dataSource: DataSource,
  console: Console,
  signal: AbortSignal,
) {
  console.heading('Training: driftloop train --preset quick --force');
  const summary = await runTrainer<TrainSummary>(stack, ['--preset', 'quick', '--force'], signal);
  console.heading('Published');
  const event = await readPublishedEvent(config, stack, summary.version);
  console.say(`  read back from ${config.topics.policyVersions}:`);
  console.say(JSON.stringify(event, null, 2).replace(/^/gm, '    '));
  console.heading('Summary');
  console.say(renderSummary(summary, await countFound(dataSource), config.stateDir));
}

function sayAddresses({ apiPort, managementPort }: Service, console: Console) {
  console.say('\nStill running:');
  console.say(`  API       http://127.0.0.1:${apiPort}/v1/anchors`);
  console.say(`  metrics   http://127.0.0.1:${managementPort}/metrics`);
  console.say('  npx driftloop stack stop ends the service, Kafka and PostgreSQL');
}
