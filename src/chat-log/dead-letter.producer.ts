import type { Kafka, Message } from 'kafkajs';
import { type DeadLetter, KEPT_BYTES, keptHeaders } from './dead-letter.js';
import { LazyProducer } from './lazy-producer.js';

/** Sends dead letters to their topic. It connects with the first of them. */
export class DeadLetterProducer {
  private readonly producer: LazyProducer;

  constructor(
    kafka: Kafka,
    private readonly topic: string,
  ) {
    this.producer = new LazyProducer(() => kafka);
  }

  /** Resolves when the broker has them all. */
  send(source: { topic: string; partition: number }, letters: DeadLetter[]): Promise<void> {
    return this.producer.send(
      this.topic,
      letters.map((letter) => asMessage(source, letter)),
    );
  }

  close(): Promise<void> {
    return this.producer.close();
  }
}

function asMessage(source: { topic: string; partition: number }, letter: DeadLetter): Message {
  const { message, reason, detail, item, sha256, bytes } = letter;
  return {
    key: message.key?.subarray(0, KEPT_BYTES) ?? null,
    value: message.value?.subarray(0, KEPT_BYTES) ?? null,
    headers: {
      ...keptHeaders(message),
      'driftloop-reason': reason,
      'driftloop-detail': detail,
      'driftloop-topic': source.topic,
      'driftloop-partition': String(source.partition),
      'driftloop-offset': message.offset,
      'driftloop-timestamp': message.timestamp,
      'driftloop-item': String(item),
      'driftloop-sha256': sha256,
      'driftloop-bytes': String(bytes),
    },
  };
}
