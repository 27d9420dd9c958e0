import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DriftError } from '../drift-error.js';
import { EncoderProcess } from './encoder/encoder-process.js';
import { EncoderStage } from './encoder/encoder-stage.js';
import { firstStageFeatures } from './first-stage-features.js';
import { LinearStage } from './linear-stage.js';
import { readWeights } from './read-weights.js';
import { secondStageFeatures } from './second-stage-features.js';
import { decodeStage } from './stage-model.js';
import type { Classifier, Exchange, NamingClassifier, Rubric, Verdict } from './verdict.js';

/** The directory of the shipped weights. */
const SHIPPED = fileURLToPath(new URL('./weights/', import.meta.url));

export const STAGE_FILES = { first: 'first-stage.bin', second: 'second-stage.bin' } as const;

/** What is known of the shipped classifier: what made it, and how right it is. Stored with every classifier version. */
export interface ClassifierCard {
  version: string;
  [fact: string]: unknown;
}

/** Settles the clear turns, at the speed of the stream; the others are `provisional`. */
export function loadFirstStage(dir = SHIPPED): LinearStage {
  return new LinearStage(
    classifierVersion(dir),
    decodeStage(read(dir, 'first'), STAGE_FILES.first),
    firstStageFeatures,
  );
}

/** Decides every turn that it gets, in a process of its own; far slower. */
export function loadSecondStage(dir = SHIPPED): EncoderStage {
  const model = decodeStage(read(dir, 'second'), STAGE_FILES.second);
  const { encoder } = model;
  if (!encoder)
    throw new DriftError(
      'model-invalid',
      `${join(dir, STAGE_FILES.second)} names no encoder: npm run train:dsat makes it anew.`,
    );
  const linear = new LinearStage(classifierVersion(dir), model, secondStageFeatures(new Set(model.frequentTokens)));
  return new EncoderStage(linear, new EncoderProcess({ dir, sha256: encoder.sha256 }), { ...model, encoder });
}

/** Both stages, for whoever needs final verdicts at once. */
export function loadCascade(dir = SHIPPED): NamingClassifier {
  return new NamingCascade(loadFirstStage(dir), loadSecondStage(dir));
}

/** The first stage's verdicts, and the second's where the first is not sure. */
export class Cascade<Stage extends Classifier = Classifier> implements Classifier {
  readonly version: string;

  constructor(
    protected readonly first: Stage,
    protected readonly second: Stage,
  ) {
    this.version = first.version;
  }

  async classify(exchanges: Exchange[]): Promise<Verdict[]> {
    const early = await this.first.classify(exchanges);
    const late = await this.second.classify(exchanges.filter((_, at) => isOpen(early[at]!)));
    let taken = 0;
    return early.map((verdict) => (isOpen(verdict) ? late[taken++]! : verdict));
  }
}

class NamingCascade extends Cascade<NamingClassifier> implements NamingClassifier {
  async likelyRubrics(exchanges: Exchange[]): Promise<Rubric[]> {
    const open = (await this.first.classify(exchanges)).map(isOpen);
    const early = await this.first.likelyRubrics(exchanges.filter((_, at) => !open[at]));
    const late = await this.second.likelyRubrics(exchanges.filter((_, at) => open[at]));
    const taken = { early: 0, late: 0 };
    return open.map((is) => (is ? late[taken.late++]! : early[taken.early++]!));
  }
}

const isOpen = ({ status }: Verdict) => status === 'provisional';

/** Names the weights of both stages together (the second's name the encoder's); other weights have another name. */
export function classifierVersion(dir = SHIPPED): string {
  return versionOf(read(dir, 'first'), read(dir, 'second'));
}

export function versionOf(first: Buffer, second: Buffer): string {
  return `cascade-${createHash('sha256').update(first).update(second).digest('hex').slice(0, 12)}`;
}

export function loadCard(): ClassifierCard {
  return JSON.parse(readWeights(join(SHIPPED, 'card.json')).toString('utf8')) as ClassifierCard;
}

const read = (dir: string, stage: keyof typeof STAGE_FILES) => readWeights(join(dir, STAGE_FILES[stage]));
