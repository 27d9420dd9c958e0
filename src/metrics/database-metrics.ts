import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { within } from '../health/within.js';
import { clearGauges, databaseUp } from './database-gauges.js';
import { READINGS } from './database-readings.js';

const CACHE_MS = 5_000;
const TIMEOUT_MS = 3_000;

/**
 * Brings the gauges that are read from PostgreSQL up to date. Scrapes within five seconds share one reading; a database
 * that is away or slow makes `driftloop_database_up` 0 and the gauges absent, and never fails the scrape.
 */
@Injectable()
export class DatabaseMetrics {
  private readonly logger = new Logger('metrics');
  private readAt = Number.NEGATIVE_INFINITY;
  private reading?: Promise<void>;

  constructor(private readonly dataSource: DataSource) {}

  async refresh(): Promise<void> {
    if (performance.now() - this.readAt < CACHE_MS) return;
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    const answered = await within(
      this.reading.then(() => true),
      TIMEOUT_MS,
      false,
    );
    if (!answered) this.markDown(`no answer within ${TIMEOUT_MS} ms`);
  }

  private async read(): Promise<void> {
    try {
      const setters = await this.query();
      clearGauges();
      for (const set of setters) set();
      databaseUp.set(1);
      this.readAt = performance.now();
    } catch (error) {
      this.markDown(error instanceof Error ? error.message : String(error));
    }
  }

  /** One transaction on one connection: the figures fit each other, and the pool is left to the work. */
  private query(): Promise<(() => void)[]> {
    return this.dataSource.transaction('REPEATABLE READ', async (manager) => {
      await manager.query(`SET LOCAL statement_timeout = ${TIMEOUT_MS}`);
      const setters: (() => void)[] = [];
      for (const read of READINGS) setters.push(await read(manager));
      return setters;
    });
  }

  private markDown(reason: string): void {
    this.logger.warn(`PostgreSQL could not be read for the metrics: ${reason}`);
    clearGauges();
    databaseUp.set(0);
  }
}
