import type { Message } from 'kafkajs';

/** Of one request to the broker, so that it stays under the 1 MiB that brokers take by default. */
const REQUEST_BYTES = 512 * 1024;

/** Messages in their order, as many together as one request takes; one that is larger goes alone. */
export function* inRequests<T extends Message>(messages: Iterable<T>): Generator<T[]> {
  let request: T[] = [];
  let room = REQUEST_BYTES;
  for (const message of messages) {
    const bytes = sizeOf(message);
    if (request.length > 0 && bytes > room) {
      yield request;
      request = [];
      room = REQUEST_BYTES;
    }
    request.push(message);
    room -= bytes;
  }
  if (request.length > 0) yield request;
}

function sizeOf({ key, value, headers }: Message): number {
  const texts = [key, value, ...Object.entries(headers ?? {}).flat(2)];
  return texts.reduce((sum, text) => sum + (text ? Buffer.byteLength(text) : 0), 100);
}
