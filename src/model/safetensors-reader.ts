import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { bf16ToF32, f16ToF32 } from './half-floats.js';
import { readJson } from './json-file.js';
import type { LazyTensor } from './lazy-tensor.js';
import { readBytes } from './read-bytes.js';

const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

const headerSchema = z.record(
  z.string(),
  z.object({ dtype: z.string(), shape: z.array(z.int()), data_offsets: z.tuple([z.int(), z.int()]) }),
);
const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/**
 * The tensors of a model directory: `model.safetensors`, or the shards that `model.safetensors.index.json` lists.
 * @throws DriftError `model-invalid` that names the file: missing, cut off, or not safetensors.
 */
export function openWeights(dir: string): Map<string, LazyTensor> {
  const index = join(dir, 'model.safetensors.index.json');
  if (!existsSync(index)) return openSafetensors(join(dir, 'model.safetensors'));
  const shards = new Set(Object.values(readJson(index, indexSchema).weight_map));
  return new Map([...shards].flatMap((shard) => [...openSafetensors(join(dir, shard))]));
}

/** @throws DriftError `model-invalid` */
export function openSafetensors(path: string): Map<string, LazyTensor> {
  if (!existsSync(path))
    throw new DriftError('model-invalid', `${path} is missing: are the weights in another format?`);
  const { entries, dataStart } = readHeader(path);
  return new Map(Object.entries(entries).map(([name, entry]) => [name, lazy(path, name, entry, dataStart)]));
}

type Entry = z.output<typeof headerSchema>[string];

function readHeader(path: string): { entries: Record<string, Entry>; dataStart: number } {
  const length = Number(Buffer.from(readBytes(path, 0, 8)).readBigUInt64LE());
  if (length > 100_000_000) throw new DriftError('model-invalid', `${path} is not a safetensors file.`);
  const text = Buffer.from(readBytes(path, 8, length)).toString('utf8');
  try {
    const { __metadata__, ...entries } = JSON.parse(text);
    return { entries: headerSchema.parse(entries), dataStart: 8 + length };
  } catch (cause) {
    throw new DriftError('model-invalid', `${path} is not a safetensors file: its header cannot be read.`, { cause });
  }
}

function lazy(path: string, name: string, entry: Entry, dataStart: number): LazyTensor {
  const { dtype, shape, data_offsets } = entry;
  const [start, end] = data_offsets;
  const size = shape.reduce((product, length) => product * length, 1);
  if (!isReadable(dtype)) {
    throw new DriftError('model-invalid', `${path}: tensor ${name} is ${dtype}; F32, F16 and BF16 can be read.`);
  }
  if (end - start !== size * BYTES[dtype]) {
    throw new DriftError('model-invalid', `${path}: tensor ${name} has ${end - start} bytes for shape [${shape}].`);
  }
  if (statSync(path).size < dataStart + end) {
    throw new DriftError('model-invalid', `${path} is cut off: tensor ${name} ends at byte ${dataStart + end}.`);
  }
  return { name, shape, read: () => toF32(dtype, readBytes(path, dataStart + start, end - start)) };
}

const isReadable = (dtype: string): dtype is keyof typeof BYTES => dtype in BYTES;

function toF32(dtype: keyof typeof BYTES, bytes: ArrayBuffer): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes);
  const halves = new Uint16Array(bytes);
  return dtype === 'F16' ? f16ToF32(halves) : bf16ToF32(halves);
}
