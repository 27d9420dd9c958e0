import { workerData } from 'node:worker_threads';
import type { Exchange } from '../verdict.js';
import { type EncoderFiles, type EncoderScores, EncoderSession } from './encoder-session.js';

/** What runs in the worker thread of `EncoderPool`: the model is loaded once, and scores what it is given. */
const session = EncoderSession.load(workerData as EncoderFiles);
// Whoever asks for scores is told.
session.catch(() => {});

/** Scores, or why there are none: an error loses its class on the way between threads. */
export default async function score(exchanges: Exchange[]): Promise<EncoderScores[] | { problem: string }> {
  try {
    return await (await session).score(exchanges);
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
