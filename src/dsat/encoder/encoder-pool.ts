import { Piscina } from 'piscina';
import { DriftError } from '../../drift-error.js';
import type { Exchange } from '../verdict.js';
import type { EncoderFiles, EncoderScores } from './encoder-session.js';

/** From its sources (tests, benches) the worker needs what turns TypeScript into JavaScript. */
const FROM_SOURCES = import.meta.url.endsWith('.ts');

/**
 * The encoder in a worker thread of its own: a thread that reads Kafka must not stand still for as long as a model
 * computes. The thread starts with the first exchange, does not keep the process alive and ends
 * with it: ended sooner, the native runtime in it can take the process down.
 */
export class EncoderPool {
  private pool?: Piscina<Exchange[], EncoderScores[] | { problem: string }>;

  constructor(private readonly files: EncoderFiles) {}

  /** @throws DriftError `model-invalid` where a file is missing, or another one */
  async score(exchanges: Exchange[]): Promise<EncoderScores[]> {
    if (exchanges.length === 0) return [];
    this.pool ??= new Piscina({
      filename: new URL(FROM_SOURCES ? './encoder-worker.ts' : './encoder-worker.js', import.meta.url).href,
      execArgv: FROM_SOURCES ? ['--import', '@swc-node/register/esm-register'] : [],
      workerData: this.files,
      minThreads: 1,
      maxThreads: 1,
    });
    const scores = await this.pool.run(exchanges);
    if ('problem' in scores) throw new DriftError('model-invalid', scores.problem, { facts: { dir: this.files.dir } });
    return scores;
  }
}
