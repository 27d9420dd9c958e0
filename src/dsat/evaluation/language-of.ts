import { eld } from 'eld/small';
import type { LabelledTurn } from './labelled-turn.js';

/** The language of a turn: what the file says, else what the user's own words look like, else `unknown`. */
export function languageOf({ language, exchange }: LabelledTurn): string {
  return language ?? detect(exchange.userTurn) ?? detect(`${exchange.prompt} ${exchange.userTurn}`) ?? 'unknown';
}

/** The language of shorter texts is not told. */
const FEWEST_LETTERS = 20;
/** More is not needed to tell. */
const READ = 1_000;

function detect(text: string): string | null {
  const read = text.slice(0, READ);
  if ((read.match(/\p{L}/gu)?.length ?? 0) < FEWEST_LETTERS) return null;
  const found = eld.detect(read);
  return found.isReliable() ? found.language : null;
}
