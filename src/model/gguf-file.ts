import { statSync } from 'node:fs';
import { GGMLQuantizationType, type GGUFParseOutput, type GGUFTensorInfo, gguf } from '@huggingface/gguf';
import { DriftError } from '../drift-error.js';
import { FORMAT_NAMES, FORMATS } from './dequantise.js';
import type { LazyTensor } from './lazy-tensor.js';
import { readBytes } from './read-bytes.js';

export type GgufMetadata = Record<string, unknown>;

export interface GgufFile {
  metadata: GgufMetadata;
  /** Named as in the file, shapes outermost first. */
  tensors: LazyTensor[];
}

/** @throws DriftError `model-invalid` for what is not GGUF, is cut off, or holds an unknown quantisation. */
export async function openGguf(path: string): Promise<GgufFile> {
  const parsed = await parse(path);
  const tensors = parsed.tensorInfos.map((info) => tensor(path, info, Number(parsed.tensorDataOffset)));
  return { metadata: { ...parsed.metadata }, tensors };
}

async function parse(path: string): Promise<GGUFParseOutput> {
  try {
    return await gguf(path, { allowLocalFile: true });
  } catch (cause) {
    throw new DriftError('model-invalid', `${path} cannot be read as GGUF: ${cause}`, { cause, facts: { path } });
  }
}

function tensor(path: string, info: GGUFTensorInfo, dataOffset: number): LazyTensor {
  const format = FORMATS[info.dtype];
  if (format === undefined) {
    const kind = GGMLQuantizationType[info.dtype] ?? info.dtype;
    throw new DriftError(
      'model-invalid',
      `${path}: tensor ${info.name} is ${kind}; what can be read is ${FORMAT_NAMES}.`,
    );
  }
  const shape = info.shape.map(Number).reverse();
  const size = shape.reduce((product, length) => product * length, 1);
  const start = dataOffset + Number(info.offset);
  const bytes = (size / format.blockSize) * format.blockBytes;
  if (statSync(path).size < start + bytes) {
    throw new DriftError('model-invalid', `${path} is cut off: tensor ${info.name} ends at byte ${start + bytes}.`);
  }
  const read = () => {
    const values = new Float32Array(size);
    format.read(new DataView(readBytes(path, start, bytes)), values);
    return values;
  };
  return { name: info.name, shape, read };
}
