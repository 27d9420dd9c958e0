import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DriftError } from '../../drift-error.js';
import { ENCODER_FILES, type EncoderScores } from '../encoder/encoder-session.js';
import { foldOf } from './cross-validation.js';
import { encoderTarget, encoderWeight } from './label-target.js';
import type { LabelledExchange } from './labelled-exchanges.js';
import type { TrainedEncoder } from './train-cascade.js';

/** Makes what it needs (Python with torch, the pre-trained weights) and trains: see `scripts/dsat/train_encoder.py`. */
const TRAINER = 'scripts/dsat/train-encoder.mjs';

/** What the encoder made of each labelled turn out of fold; no text. */
const SCORES = 'data/dsat-encoder-scores.jsonl';

const scoresSchema = z.object({
  conversation: z.string(),
  turn: z.number().int(),
  labels: z.array(z.number()).length(3),
  rubrics: z.array(z.number()).length(9),
});

/** Trains the encoder anew, more than a CPU-hour, and puts its files into `weights` and its scores into `data/`. */
export async function trainEncoder(turns: LabelledExchange[], weights: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'driftloop-encoder-'));
  try {
    const exchanges = join(dir, 'exchanges.jsonl');
    await writeExchanges(turns, exchanges);
    const trainer = spawn(process.execPath, [TRAINER, exchanges, dir], { stdio: ['ignore', 2, 2] });
    const [code] = (await once(trainer, 'exit')) as [number | null];
    if (code !== 0) throw new DriftError('asset-missing', `${TRAINER} failed: what it printed above says why.`);
    for (const name of Object.values(ENCODER_FILES)) await copyFile(join(dir, name), join(weights, name));
    await copyFile(join(dir, 'scores.jsonl'), SCORES);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/**
 * The encoder that lies in `weights`, and what it made of the turns.
 * @throws DriftError `record-invalid` where a turn that figures are from has no scores
 */
export async function readEncoder(turns: LabelledExchange[], weights: string): Promise<TrainedEncoder> {
  const scoresOf = new Map<string, EncoderScores>();
  for (const line of (await readFile(SCORES, 'utf8')).split('\n').filter((text) => text !== '')) {
    const { conversation, turn, ...scores } = scoresSchema.parse(JSON.parse(line));
    scoresOf.set(`${conversation} ${turn}`, scores);
  }
  const scores = turns.map(({ conversation, turn, stratum }) => {
    const found = scoresOf.get(`${conversation} ${turn}`);
    if (found || stratum !== 'random') return found ?? null;
    const message = `${SCORES} has no scores of turn ${turn} of ${conversation}: train the encoder anew, without --keep-encoder.`;
    throw new DriftError('record-invalid', message, { facts: { conversation, turn } });
  });
  const hashOf = async (name: string) => hash('sha256', await readFile(join(weights, name)));
  return {
    scores,
    sha256: { model: await hashOf(ENCODER_FILES.model), tokenizer: await hashOf(ENCODER_FILES.tokenizer) },
  };
}

async function writeExchanges(turns: LabelledExchange[], file: string): Promise<void> {
  const out = createWriteStream(file, { mode: 0o600 });
  for (const turn of turns) {
    const { conversation, turn: at, label, rubric, exchange } = turn;
    const target = encoderTarget(turn);
    const weight = encoderWeight(turn);
    const row = { conversation, turn: at, label, rubric, target, weight, fold: foldOf(conversation), ...exchange };
    out.write(`${JSON.stringify(row)}\n`);
  }
  out.end();
  await once(out, 'close');
}
