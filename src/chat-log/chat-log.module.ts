import { type INestApplication, Module } from '@nestjs/common';

/** The `ingest` role: Kafka to turns, first-stage verdicts, anchors and seed pairs. */
@Module({})
export class ChatLogModule {}

/** Makes the application consume chat turns once `startAllMicroservices` is called. Needs `ChatLogModule` among its modules. */
export function connectIngest(_app: INestApplication): void {}
