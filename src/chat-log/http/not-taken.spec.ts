import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { problemOf } from '../../api/problem.filter.js';
import { notTaken } from './not-taken.js';

const { KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } = kafkajs;

/** As kafkajs makes it of an answer of the broker. */
const answer = (type: string) =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 1, retriable: false }));

describe('turns that Kafka did not take', () => {
  it.each([
    ['MESSAGE_TOO_LARGE', 413],
    ['RECORD_LIST_TOO_LARGE', 413],
    ['INVALID_RECORD', 422],
  ])('are answered %s with %i, also where that is the cause of another error', (type, status) => {
    const retried = new KafkaJSNumberOfRetriesExceeded(answer(type), { retryCount: 5, retryTime: 1 });
    for (const error of [answer(type), retried, new Error('outer', { cause: answer(type) })]) {
      expect(notTaken(error)).toMatchObject({ retriable: false, cause: error });
      expect(problemOf(notTaken(error))).toMatchObject({ status, detail: expect.stringContaining('Kafka refused') });
    }
  });

  it('are to be sent again where the error is not about them', () => {
    for (const error of [answer('TOPIC_AUTHORIZATION_FAILED'), new KafkaJSNonRetriableError('no'), new Error('no')]) {
      expect(notTaken(error)).toMatchObject({ code: 'broker-unavailable', retriable: true });
      expect(problemOf(notTaken(error))).toMatchObject({ status: 503 });
    }
  });
});
