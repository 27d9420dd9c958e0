import { Global, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MetricsModule } from '../metrics/metrics.module.js';
import { ManagementServer } from './management-server.js';
import { Readiness } from './readiness.js';

/** The management port, and the readiness that the other parts report to. */
@Global()
@Module({
  imports: [MetricsModule],
  providers: [{ provide: Readiness, inject: [DataSource], useFactory: readiness }, ManagementServer],
  exports: [Readiness, ManagementServer],
})
export class HealthModule {}

function readiness(dataSource: DataSource): Readiness {
  const readiness = new Readiness();
  readiness.add('database', async () => void (await dataSource.query('SELECT 1')));
  return readiness;
}
