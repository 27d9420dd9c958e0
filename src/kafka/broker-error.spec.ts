import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { explainBrokerError } from './broker-error.js';

const { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } = kafkajs;

const afterRetries = (error: Error) => new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 300 });

it('says what to check where no broker answers', () => {
  const refused = new KafkaJSConnectionError('Connection error: connect ECONNREFUSED 127.0.0.1:9', {
    code: 'ECONNREFUSED',
  });
  expect(explainBrokerError(afterRetries(refused))).toBe(
    'Connection error: connect ECONNREFUSED 127.0.0.1:9. Check KAFKA_BROKERS.',
  );
});

it('has no advice on the connection where a broker answers with an error', () => {
  const loading = new KafkaJSProtocolError(new Error('The coordinator is loading'));
  expect(explainBrokerError(afterRetries(loading))).toBe('The coordinator is loading.');
});

it('says of another error what it says itself', () => {
  expect(explainBrokerError(new Error('The thread is gone.'))).toBe('Error: The thread is gone.');
});
