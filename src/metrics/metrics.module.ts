import { Module } from '@nestjs/common';
import { collectDefaultMetrics, register } from 'prom-client';
import { DatabaseMetrics } from './database-metrics.js';

if (!register.getSingleMetric('process_cpu_user_seconds_total')) collectDefaultMetrics();

/** What `/metrics` shows comes from prom-client's default registry, of the process; this adds what is read from PostgreSQL. */
@Module({ providers: [DatabaseMetrics], exports: [DatabaseMetrics] })
export class MetricsModule {}
