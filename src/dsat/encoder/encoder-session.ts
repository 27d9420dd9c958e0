import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { DriftError } from '../../drift-error.js';
import type { Exchange } from '../verdict.js';
import { encoderInput, type TokenIds } from './encoder-tokens.js';

export const ENCODER_FILES = { model: 'encoder.onnx', tokenizer: 'encoder-tokenizer.json' } as const;

export interface EncoderFiles {
  /** Where `encoder.onnx` and `encoder-tokenizer.json` are. */
  dir: string;
  /** What they must be. */
  sha256: Record<keyof typeof ENCODER_FILES, string>;
}

/** What the encoder makes of one exchange, before calibration. */
export interface EncoderScores {
  /** In the order of `LABELS`. */
  labels: number[];
  /** In the order of `RUBRICS`. */
  rubrics: number[];
}

/** The encoder on the CPU, one thread. It blocks the thread it is called on: see `EncoderProcess`. */
export class EncoderSession {
  private constructor(
    private readonly session: InferenceSession,
    private readonly tokenIds: TokenIds,
  ) {}

  /** @throws DriftError `model-invalid` where a file is missing, or another one */
  static async load(files: EncoderFiles): Promise<EncoderSession> {
    const [model, tokenizerJson] = await Promise.all([readWhole(files, 'model'), readWhole(files, 'tokenizer')]);
    const tokenizer = new Tokenizer(JSON.parse(tokenizerJson.toString('utf8')), {});
    const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    return new EncoderSession(session, (text) => tokenizer.encode(text, { add_special_tokens: false }).ids);
  }

  /** One exchange after the other: rows of one length need no padding, and a batch would gain nothing on one thread. */
  async score(exchanges: Exchange[]): Promise<EncoderScores[]> {
    const scores: EncoderScores[] = [];
    for (const exchange of exchanges) scores.push(await this.scoreOne(exchange));
    return scores;
  }

  private async scoreOne(exchange: Exchange): Promise<EncoderScores> {
    const { ids, segments } = encoderInput(exchange, this.tokenIds);
    const row = (values: number[]) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
    const { labels, rubrics } = await this.session.run({ ids: row(ids), segments: row(segments) });
    return { labels: numbers(labels!), rubrics: numbers(rubrics!) };
  }
}

async function readWhole({ dir, sha256 }: EncoderFiles, part: keyof typeof ENCODER_FILES): Promise<Buffer> {
  const file = join(dir, ENCODER_FILES[part]);
  const bytes = await readFile(file).catch((cause: Error) => {
    throw damaged(file, `cannot be read: ${cause.message}`, cause);
  });
  if (createHash('sha256').update(bytes).digest('hex') !== sha256[part]) {
    throw damaged(file, `is not the file that ${dir} was built with`);
  }
  return bytes;
}

function damaged(file: string, problem: string, cause?: Error): DriftError {
  const message = `${file} ${problem}. It belongs to the sources and to every build; npm run train:dsat makes it anew.`;
  return new DriftError('model-invalid', message, { cause, facts: { file } });
}

const numbers = ({ data }: Tensor) => Array.from(data as Float32Array);
