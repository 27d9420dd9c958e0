import type { Kafka, Message, Producer } from 'kafkajs';
import { type DeadLetter, KEPT_BYTES, keptHeaders } from './dead-letter.js';
import { createPartitioner } from './kafka-client.js';
import { inRequests } from './requests.js';

/** Sends dead letters to their topic. It connects with the first of them. */
export class DeadLetterProducer {
  private producer?: Promise<Producer>;

  constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
  ) {}

  /** Resolves when the broker has them all. */
  async send(source: { topic: string; partition: number }, letters: DeadLetter[]): Promise<void> {
    const producer = await this.connected();
    for (const messages of inRequests(letters.map((letter) => asMessage(source, letter)))) {
      await producer.send({ topic: this.topic, acks: -1, messages });
    }
  }

  async close(): Promise<void> {
    await (await this.producer)?.disconnect();
  }

  private connected(): Promise<Producer> {
    this.producer ??= this.connect().catch((error) => {
      this.producer = undefined;
      throw error;
    });
    return this.producer;
  }

  private async connect(): Promise<Producer> {
    const producer = this.kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  }
}

function asMessage(source: { topic: string; partition: number }, letter: DeadLetter): Message {
  const { message, reason, detail, item, sha256 } = letter;
  return {
    key: message.key?.subarray(0, KEPT_BYTES) ?? null,
    value: message.value?.subarray(0, KEPT_BYTES) ?? null,
    timestamp: message.timestamp,
    headers: {
      ...keptHeaders(message),
      'driftloop-reason': reason,
      'driftloop-detail': detail,
      'driftloop-topic': source.topic,
      'driftloop-partition': String(source.partition),
      'driftloop-offset': message.offset,
      'driftloop-item': String(item),
      'driftloop-sha256': sha256,
      'driftloop-bytes': String(message.value?.length ?? 0),
    },
  };
}
