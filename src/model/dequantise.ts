import { GGMLQuantizationType } from '@huggingface/gguf';
import { f16, f16ToF32 } from './half-floats.js';

interface Format {
  /** Bytes that hold one block, and the values in it. */
  blockBytes: number;
  blockSize: number;
  read(bytes: DataView, values: Float32Array): void;
}

const copy = (view: DataView) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

/** 34 bytes: scale (f16), 32 signed bytes. */
function readQ8(bytes: DataView, values: Float32Array): void {
  for (let block = 0, at = 0; at < bytes.byteLength; block += 32, at += 34) {
    const scale = f16(bytes.getUint16(at, true));
    for (let i = 0; i < 32; i++) values[block + i] = scale * bytes.getInt8(at + 2 + i);
  }
}

/** 20 bytes: scale and minimum (f16), 16 bytes whose low nibbles are values 0..15 and high ones 16..31. */
function readQ4WithMinimum(bytes: DataView, values: Float32Array): void {
  for (let block = 0, at = 0; at < bytes.byteLength; block += 32, at += 20) {
    const scale = f16(bytes.getUint16(at, true));
    const minimum = f16(bytes.getUint16(at + 2, true));
    for (let i = 0; i < 16; i++) {
      const pair = bytes.getUint8(at + 4 + i);
      values[block + i] = Math.fround(scale * (pair & 15)) + minimum;
      values[block + 16 + i] = Math.fround(scale * (pair >> 4)) + minimum;
    }
  }
}

/** What of ggml's formats (ggml-quants.c) can be read: those of the default model. */
export const FORMATS: Partial<Record<GGMLQuantizationType, Format>> = {
  [GGMLQuantizationType.F32]: {
    blockBytes: 4,
    blockSize: 1,
    read: (bytes, values) => values.set(new Float32Array(copy(bytes))),
  },
  [GGMLQuantizationType.F16]: {
    blockBytes: 2,
    blockSize: 1,
    read: (bytes, values) => values.set(f16ToF32(new Uint16Array(copy(bytes)))),
  },
  [GGMLQuantizationType.Q8_0]: { blockBytes: 34, blockSize: 32, read: readQ8 },
  [GGMLQuantizationType.Q4_1]: { blockBytes: 20, blockSize: 32, read: readQ4WithMinimum },
};
