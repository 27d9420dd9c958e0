import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { nestsTooDeeply } from './nesting.js';
import { MAX_RECORD_BYTES } from './record-value.js';
import type { TurnRecord } from './replay.js';
import { conversationIdSchema } from './turn-event.js';

const keyedSchema = z.object({ conversationId: conversationIdSchema });

/**
 * The records of a file of turn events, one JSON object a line; empty lines are skipped. Whether an event is a valid
 * one is for the consumer to say: here it only needs the conversation that it belongs to.
 * @throws DriftError `usage` where the file or one of its lines cannot be read
 */
export async function openTurnFile(file: string): Promise<AsyncIterable<TurnRecord>> {
  try {
    const handle = await open(file);
    if (!(await handle.stat()).isDirectory()) return records(handle, file);
    await handle.close();
  } catch (cause) {
    throw new DriftError('usage', `${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  throw new DriftError('usage', `${file} is a directory.`);
}

async function* records(handle: FileHandle, file: string): AsyncGenerator<TurnRecord> {
  let number = 0;
  for await (const line of handle.readLines()) {
    number++;
    if (line.length > MAX_RECORD_BYTES || nestsTooDeeply(line)) {
      throw new DriftError(
        'usage',
        `${file}:${number}: it is longer than ${MAX_RECORD_BYTES} bytes or nested too deeply.`,
      );
    }
    const value = number === 1 ? line.replace(/^\ufeff/, '') : line;
    if (value.trim() !== '') yield { conversationId: conversationIdOf(value, `${file}:${number}`), value };
  }
}

function conversationIdOf(line: string, place: string): string {
  try {
    return keyedSchema.parse(JSON.parse(line)).conversationId;
  } catch (cause) {
    throw new DriftError('usage', `${place}: expected a JSON object with a conversationId.`, { cause });
  }
}
