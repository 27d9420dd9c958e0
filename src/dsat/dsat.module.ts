import { Module } from '@nestjs/common';

/** The `classify` role: settles provisional verdicts with the second stage. */
@Module({})
export class DsatModule {}
