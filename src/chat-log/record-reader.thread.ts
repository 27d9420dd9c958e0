import { parentPort, workerData } from 'node:worker_threads';
import { createPrivacy, type PrivacySettings } from '../privacy/privacy.js';
import { type PackedMessages, unpackMessages } from './packed-messages.js';
import { type ProtectedRecord, readRecord } from './read-record.js';

/** What the thread of `RecordReader` is sent; it answers with what may be stored of each message. It ends with null. */
export interface ReadingTask {
  topic: string;
  partition: number;
  packed: PackedMessages;
}

const privacy = createPrivacy(workerData as PrivacySettings);

parentPort!.on('message', (task: ReadingTask | null) => {
  if (task === null) parentPort!.close();
  else parentPort!.postMessage(read(task));
});

function read({ packed, ...source }: ReadingTask): ProtectedRecord[] {
  return unpackMessages(packed).map((message) => readRecord(message, source, privacy));
}
