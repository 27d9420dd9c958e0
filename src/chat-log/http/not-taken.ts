import kafkajs from 'kafkajs';
import { DriftError, type DriftErrorCode } from '../../drift-error.js';
import { causesOf } from '../../kafka/broker-error.js';

interface Refusal {
  code: DriftErrorCode;
  message: string;
}

const TOO_LARGE: Refusal = {
  code: 'record-too-large',
  message:
    "Kafka refused the turns: they are larger than the topic's max.message.bytes. Send fewer events in a request, or " +
    'shorter ones, or send it again once that limit was raised.',
};

const REFUSED: Refusal = {
  code: 'record-refused',
  message:
    'Kafka refused the turns: its own validation finds a record invalid. Change the request, or send it again once ' +
    'the topic takes such records.',
};

/** Answers of a broker that are about what was sent: the same request gets them again, whatever is up. */
const REFUSALS: Record<string, Refusal> = {
  MESSAGE_TOO_LARGE: TOO_LARGE,
  RECORD_LIST_TOO_LARGE: TOO_LARGE,
  INVALID_RECORD: REFUSED,
};

/**
 * What a request is answered whose turns the producer could not send. Only what the broker says of the records is the
 * client's to change; any other error, also one that kafkajs does not retry, is the service's.
 */
export function notTaken(cause: Error): DriftError {
  for (const error of causesOf(cause)) {
    const refusal = error instanceof kafkajs.KafkaJSProtocolError && REFUSALS[error.type];
    if (refusal) return new DriftError(refusal.code, refusal.message, { cause });
  }
  return unavailable(cause.message, cause);
}

export function unavailable(why: string, cause?: Error): DriftError {
  const message = `Kafka did not take the turns: ${why}. Send the request again.`;
  return new DriftError('broker-unavailable', message, { cause, retriable: true });
}
