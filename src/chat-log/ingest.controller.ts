import { Controller } from '@nestjs/common';
import { EventPattern, Payload, RpcException } from '@nestjs/microservices';
import { type FetchedBatch, type IngestOutcome, IngestService } from './ingest.service.js';

/** The pattern under which the Kafka strategy hands over a fetched batch. */
export const TURN_BATCH = 'chat-log.turn-batch';

@Controller()
export class IngestController {
  constructor(private readonly ingestion: IngestService) {}

  /** @throws RpcException of what was thrown: of any other one, Nest tells the strategy nothing */
  @EventPattern(TURN_BATCH)
  async ingest(@Payload() batch: FetchedBatch): Promise<IngestOutcome> {
    try {
      return await this.ingestion.ingest(batch);
    } catch (error) {
      throw new RpcException(error as Error);
    }
  }
}
