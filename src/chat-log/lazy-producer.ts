import type { Kafka, Message, Producer } from 'kafkajs';
import { createPartitioner } from '../kafka/kafka-client.js';
import { inRequests } from './requests.js';

/** A producer that connects with the first message, and again after it could not. */
export class LazyProducer {
  private producer?: Promise<Producer>;

  constructor(private readonly kafka: () => Kafka) {}

  /** Resolves when the broker has them all. */
  async send(topic: string, messages: Iterable<Message>): Promise<void> {
    const producer = await this.connected();
    for (const request of inRequests(messages)) await producer.send({ topic, acks: -1, messages: request });
  }

  async close(): Promise<void> {
    const nothing = () => {};
    await this.producer?.then((producer) => producer.disconnect(), nothing);
  }

  private connected(): Promise<Producer> {
    this.producer ??= this.connect().catch((error) => {
      this.producer = undefined;
      throw error;
    });
    return this.producer;
  }

  private async connect(): Promise<Producer> {
    const producer = this.kafka().producer({ createPartitioner, allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  }
}
