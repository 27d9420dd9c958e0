import { constants, setPriority } from 'node:os';
import type { Exchange } from '../verdict.js';
import { type EncoderFiles, type EncoderScores, EncoderSession } from './encoder-session.js';

/** What a process answers: the scores, or why there are none. */
export interface EncoderAnswer {
  id: number;
  scores?: EncoderScores[];
  problem?: string;
}

/** The process of `EncoderProcess`: its argument names the files; the model is loaded once, and scores what it is sent. */
function run(files: EncoderFiles): void {
  // A verdict can wait, the stream cannot.
  setPriority(constants.priority.PRIORITY_LOW);
  const session = EncoderSession.load(files);
  // Whoever asks for scores is told.
  session.catch(() => {});
  const answer = async (exchanges: Exchange[]): Promise<Omit<EncoderAnswer, 'id'>> => {
    try {
      return { scores: await (await session).score(exchanges) };
    } catch (error) {
      return { problem: (error as Error).message };
    }
  };
  process.on('message', async ({ id, exchanges }: { id: number; exchanges: Exchange[] }) => {
    const found = await answer(exchanges);
    if (process.connected) process.send?.({ id, ...found });
  });
  // Whoever started it decides when it ends: a signal to the group would cut off what is being drained.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit(0));
}

if (process.send) run(JSON.parse(process.argv[2]!) as EncoderFiles);
