import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type PrivacySettings, privacyOf } from '../privacy/privacy.js';
import { type PackedMessages, unpackMessages } from './packed-messages.js';
import { readRecord } from './read-record.js';

/** What the thread of `RecordReader` is sent; it answers with what may be stored of each message. */
export interface ReadingTask {
  topic: string;
  partition: number;
  packed: PackedMessages;
}

function run(port: MessagePort, settings: PrivacySettings): void {
  const privacy = privacyOf(settings);
  const read = ({ packed, ...source }: ReadingTask) =>
    unpackMessages(packed).map((message) => readRecord(message, source, privacy));
  port.on('message', (task: ReadingTask) => port.postMessage(read(task)));
}

if (parentPort) run(parentPort, workerData as PrivacySettings);
