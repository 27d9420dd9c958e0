import { DriftError } from '../drift-error.js';
import type { QuantisedOutput } from './linear-output.js';

/** Scores to probabilities: softmax(scale * score + shift), fitted on out-of-fold scores at natural rates. */
export interface Calibration {
  scale: number;
  /** One a class. */
  shift: number[];
}

/** A turn is dsat from the first threshold on, else sat from the second on, else neutral. */
export interface Decision {
  dsat: number;
  sat: number;
}

/** Where a stage is not sure: either probability lies between its bounds. */
export interface Band {
  dsat: [from: number, to: number];
  sat: [from: number, to: number];
}

/** The encoder beside a linear model: scores of both are added. */
export interface EncoderShare {
  /** Of `encoder.onnx` and of `encoder-tokenizer.json`: other bytes are another classifier. */
  sha256: { model: string; tokenizer: string };
  /** What the linear model's scores are multiplied by before they are added to the encoder's. */
  linear: { labels: number; rubrics: number };
}

/** All that one stage of the cascade has learnt. */
export interface StageModel {
  /** Features are hashed into two to this power of buckets. */
  bits: number;
  /** Hashes of tokens; empty where the stage's features have no use for them. */
  frequentTokens: number[];
  labels: QuantisedOutput;
  rubrics: QuantisedOutput;
  calibration: Calibration;
  decision: Decision;
  /** null: the stage decides all it gets. */
  band: Band | null;
  /** null: the linear model is all there is. */
  encoder: EncoderShare | null;
}

const MAGIC = 'driftloop-dsat-1';

/** `driftloop-dsat-1`, the length of the header (uint32, little endian), the header (JSON), then the weights (int8). */
export function encodeStage({ labels, rubrics, ...rest }: StageModel): Buffer {
  const describe = ({ weights: _, ...output }: QuantisedOutput) => output;
  const header = Buffer.from(JSON.stringify({ ...rest, labels: describe(labels), rubrics: describe(rubrics) }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([Buffer.from(MAGIC), length, header, bytesOf(labels), bytesOf(rubrics)]);
}

const bytesOf = ({ weights }: QuantisedOutput) => Buffer.from(weights.buffer, weights.byteOffset, weights.length);

/** @throws DriftError `model-invalid` where the bytes are not such a file, or are cut off. */
export function decodeStage(bytes: Buffer, name: string): StageModel {
  const start = MAGIC.length + 4;
  if (bytes.length < start || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw invalid(name, 'is not a classifier file');
  }
  const end = start + bytes.readUInt32LE(MAGIC.length);
  if (bytes.length < end) throw invalid(name, 'is cut off');
  const header = JSON.parse(bytes.toString('utf8', start, end)) as StageModel;
  const { bits, labels, rubrics } = header;
  const split = end + 2 ** bits * labels.classes;
  if (bytes.length !== split + 2 ** bits * rubrics.classes) throw invalid(name, 'is cut off');
  return {
    ...header,
    labels: { ...labels, weights: new Int8Array(bytes.subarray(end, split)) },
    rubrics: { ...rubrics, weights: new Int8Array(bytes.subarray(split)) },
  };
}

function invalid(name: string, problem: string): DriftError {
  return new DriftError('model-invalid', `${name} ${problem}. Fetch it again, or rebuild it with npm run train:dsat.`);
}
