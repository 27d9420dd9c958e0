import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DriftError } from '../drift-error.js';
import { firstStageFeatures } from './first-stage-features.js';
import { LinearStage } from './linear-stage.js';
import { secondStageFeatures } from './second-stage-features.js';
import { decodeStage } from './stage-model.js';

const WEIGHTS = new URL('./weights/', import.meta.url);

export const STAGE_FILES = { first: 'first-stage.bin', second: 'second-stage.bin' } as const;

/** What is known of the shipped classifier: what made it, and how right it is. Stored with every classifier version. */
export interface ClassifierCard {
  version: string;
  [fact: string]: unknown;
}

/** Settles the clear turns, at the speed of the stream; the others are `provisional`. */
export function loadFirstStage(): LinearStage {
  return new LinearStage(classifierVersion(), decodeStage(weights('first'), STAGE_FILES.first), firstStageFeatures);
}

/** Decides every turn that it gets; slower. */
export function loadSecondStage(): LinearStage {
  const model = decodeStage(weights('second'), STAGE_FILES.second);
  return new LinearStage(classifierVersion(), model, secondStageFeatures(new Set(model.frequentTokens)));
}

/** Names the weights of both stages together; other weights have another name. */
export function classifierVersion(): string {
  return versionOf(weights('first'), weights('second'));
}

export function versionOf(first: Buffer, second: Buffer): string {
  return `linear-${createHash('sha256').update(first).update(second).digest('hex').slice(0, 12)}`;
}

export function loadCard(): ClassifierCard {
  return JSON.parse(read('card.json').toString('utf8')) as ClassifierCard;
}

const weights = (stage: keyof typeof STAGE_FILES) => read(STAGE_FILES[stage]);

function read(name: string): Buffer {
  const file = new URL(name, WEIGHTS);
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `${file.pathname} cannot be read: ${(cause as Error).message}. It belongs to the sources and to every build.`;
    throw new DriftError('asset-missing', message, { cause });
  }
}
