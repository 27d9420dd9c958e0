import { loadConfig } from '../config/config.js';
import { createDataSource } from '../database/data-source.js';
import { migrate } from '../database/migrate.js';
import { resolveModelDir } from '../model/default-model.js';
import { withStack } from '../stack/stack.js';
import { createTfjsEngine } from './engine/tfjs.engine.js';
import { Progress } from './progress.js';
import { type TrainRequest, type TrainResult, train } from './train.js';

const POOL_SIZE = 3;

/** `driftloop train` in this process: servers, schema, engine, and an end in good order on SIGTERM or SIGINT. */
export async function runTrain(request: TrainRequest): Promise<TrainResult> {
  const config = loadConfig();
  const baseDir = resolveModelDir(config);
  const progress = new Progress((line) => process.stderr.write(`${line}\n`));
  return withSignals((signal) =>
    withStack(config, ['postgres', 'kafka'], async (stack) => {
      await migrate(stack.databaseUrl);
      const dataSource = await createDataSource(stack.databaseUrl, POOL_SIZE).initialize();
      try {
        return await train(
          { dataSource, kafka: stack, config, baseDir, engine: createTfjsEngine(), progress, signal },
          request,
        );
      } finally {
        await dataSource.destroy();
      }
    }),
  );
}

async function withSignals<T>(use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on('SIGTERM', stop).on('SIGINT', stop);
  try {
    return await use(controller.signal);
  } finally {
    process.off('SIGTERM', stop).off('SIGINT', stop);
  }
}
