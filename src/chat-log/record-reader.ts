import { Worker } from 'node:worker_threads';
import type { KafkaMessage } from 'kafkajs';
import type { PrivacySettings } from '../privacy/privacy.js';
import type { Partition } from './consumer-offsets.js';
import { packMessages } from './packed-messages.js';
import type { ProtectedRecord } from './read-record.js';
import type { ReadingTask } from './record-reader.thread.js';

/**
 * Tests run from the sources, and their thread from the build: what turns TypeScript into JavaScript is native, and takes
 * the process with it when its thread ends.
 */
const THREAD = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/src/chat-log/record-reader.thread.js' : './record-reader.thread.js',
  import.meta.url,
);
/** What a message to the thread holds: its garbage dies young. */
const TASK_MESSAGES = 200;

interface Waiting {
  resolve(records: ProtectedRecord[]): void;
  reject(error: Error): void;
}

/**
 * Reads records in a thread of its own: decoding and redaction take half of what a turn costs, and whatever text they
 * get stuck in, heartbeats and transactions go on. The thread is started again where it died.
 */
export class RecordReader {
  private thread?: Worker;
  /** It answers in the order in which it is asked. */
  private readonly waiting: Waiting[] = [];

  constructor(private readonly settings: PrivacySettings) {
    this.thread = this.start();
  }

  /**
   * What may be stored of each message.
   * @throws Error where the thread dies
   */
  async read(messages: KafkaMessage[], source: Pick<Partition, 'topic' | 'partition'>): Promise<ProtectedRecord[]> {
    const tasks: Promise<ProtectedRecord[]>[] = [];
    for (let at = 0; at < messages.length; at += TASK_MESSAGES) {
      tasks.push(this.readSome(messages.slice(at, at + TASK_MESSAGES), source));
    }
    return (await Promise.all(tasks)).flat();
  }

  /** Ends the thread, whatever it is reading. Who still waits for it is told that it is gone. */
  async close(): Promise<void> {
    await this.thread?.terminate();
  }

  private readSome(messages: KafkaMessage[], { topic, partition }: Pick<Partition, 'topic' | 'partition'>) {
    const task: ReadingTask = { topic, partition, packed: packMessages(messages) };
    this.thread ??= this.start();
    this.thread.postMessage(task, [task.packed.bytes.buffer]);
    return new Promise<ProtectedRecord[]>((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private start(): Worker {
    const thread = new Worker(THREAD, { workerData: this.settings });
    thread.on('message', (records: ProtectedRecord[]) => this.waiting.shift()?.resolve(records));
    thread.on('error', (error) => this.lost(thread, error));
    thread.on('exit', (code) => this.lost(thread, new Error(`it ended with ${code}`)));
    return thread;
  }

  private lost(thread: Worker, cause: Error): void {
    if (this.thread !== thread) return;
    this.thread = undefined;
    const error = new Error(`The thread that reads records is gone: ${cause.message}`, { cause });
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}
