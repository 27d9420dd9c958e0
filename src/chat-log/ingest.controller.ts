import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type FetchedBatch, type IngestOutcome, IngestService } from './ingest.service.js';

/** The pattern under which the Kafka strategy hands over a fetched batch. */
export const TURN_BATCH = 'chat-log.turn-batch';

@Controller()
export class IngestController {
  constructor(private readonly ingestion: IngestService) {}

  @EventPattern(TURN_BATCH)
  ingest(@Payload() batch: FetchedBatch): Promise<IngestOutcome> {
    return this.ingestion.ingest(batch);
  }
}
