import type { DataSource } from 'typeorm';
import { type LetterFilter, letterParameters, MATCHES } from './dead-letter-read.js';

/** Deletes dead letters for good, and returns how many. What is on the topic of dead letters stays there. */
export async function dropLetters(dataSource: DataSource, filter: Omit<LetterFilter, 'limit'>): Promise<number> {
  const [, dropped] = await dataSource.query<[unknown[], number]>(
    `DELETE FROM dead_letters WHERE ${MATCHES}`,
    letterParameters(filter),
  );
  return dropped;
}
