import { Global, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Readiness } from './readiness.js';

@Global()
@Module({
  providers: [
    {
      provide: Readiness,
      inject: [DataSource],
      useFactory: (dataSource: DataSource) => {
        const readiness = new Readiness();
        readiness.add('database', async () => void (await dataSource.query('SELECT 1')));
        return readiness;
      },
    },
  ],
  exports: [Readiness],
})
export class HealthModule {}
