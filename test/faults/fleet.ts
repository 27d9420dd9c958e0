import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Role } from '../../src/config/config.js';
import { type Crash, Worker } from './workers.js';

export const CONSUMERS = { least: 2, most: 4 };
export const CLASSIFIERS = 2;

/** The processes that consume and classify. */
export class Fleet {
  readonly consumers: Worker[] = [];
  readonly classifiers: Worker[] = [];
  private readonly clockFile: string;
  /** All that were ever started. */
  private readonly started: Worker[] = [];

  constructor(
    private readonly env: Record<string, string>,
    private readonly dir: string,
  ) {
    this.clockFile = join(dir, 'clock');
  }

  get all(): Worker[] {
    return [...this.consumers, ...this.classifiers];
  }

  /** In no order. */
  get crashes(): Crash[] {
    return this.started.flatMap(({ crashes }) => crashes);
  }

  addConsumer(): void {
    this.consumers.push(this.start('ingest'));
  }

  addClassifier(): Worker {
    const classifier = this.start('classify');
    this.classifiers.push(classifier);
    return classifier;
  }

  /** Takes it off the fleet and ends it. */
  end(worker: Worker, signal: NodeJS.Signals): ReturnType<Worker['end']> {
    for (const workers of [this.consumers, this.classifiers]) {
      if (workers.includes(worker)) workers.splice(workers.indexOf(worker), 1);
    }
    return worker.end(signal);
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((worker) => this.end(worker, 'SIGTERM')));
  }

  /** Makes the clocks of all processes jump. */
  setClocks(jumpMs: number): void {
    writeFileSync(this.clockFile, String(jumpMs));
    for (const worker of this.all) worker.signal('SIGUSR2');
  }

  private start(role: Role): Worker {
    const clock = new URL('clock.mjs', import.meta.url).href;
    const env = { ...this.env, CLOCK_FILE: this.clockFile };
    const worker = Worker.start(`${role}-${this.started.length}`, [role], env, this.dir, ['--import', clock]);
    this.started.push(worker);
    return worker;
  }
}
