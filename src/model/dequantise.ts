import { GGMLQuantizationType } from '@huggingface/gguf';
import { bf16ToF32, f16, f16ToF32 } from './half-floats.js';

interface Format {
  /** Bytes that hold one block, and the values in it. */
  blockBytes: number;
  blockSize: number;
  read(bytes: DataView, values: Float32Array): void;
}

const copy = (view: DataView) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

/** ggml multiplies in float32; so does this, to the last bit. */
const { fround } = Math;

/** 34 bytes: scale (f16), 32 signed bytes. */
function readQ8(bytes: DataView, values: Float32Array): void {
  for (let block = 0, at = 0; at < bytes.byteLength; block += 32, at += 34) {
    const scale = f16(bytes.getUint16(at, true));
    for (let i = 0; i < 32; i++) values[block + i] = scale * bytes.getInt8(at + 2 + i);
  }
}

/** 18 bytes: scale (f16), 16 bytes whose low nibbles are values 0..15 and high ones 16..31, all less 8. */
function readQ4(bytes: DataView, values: Float32Array): void {
  for (let block = 0, at = 0; at < bytes.byteLength; block += 32, at += 18) {
    const scale = f16(bytes.getUint16(at, true));
    for (let i = 0; i < 16; i++) {
      const pair = bytes.getUint8(at + 2 + i);
      values[block + i] = scale * ((pair & 15) - 8);
      values[block + 16 + i] = scale * ((pair >> 4) - 8);
    }
  }
}

/** 20 bytes: scale and minimum (f16), 16 bytes whose low nibbles are values 0..15 and high ones 16..31. */
function readQ4WithMinimum(bytes: DataView, values: Float32Array): void {
  for (let block = 0, at = 0; at < bytes.byteLength; block += 32, at += 20) {
    const scale = f16(bytes.getUint16(at, true));
    const minimum = f16(bytes.getUint16(at + 2, true));
    for (let i = 0; i < 16; i++) {
      const pair = bytes.getUint8(at + 4 + i);
      values[block + i] = fround(scale * (pair & 15)) + minimum;
      values[block + 16 + i] = fround(scale * (pair >> 4)) + minimum;
    }
  }
}

/** 144 bytes for 8 groups of 32: scale and minimum (f16), six bits of each for every group, 128 bytes of nibbles. */
function readQ4K(bytes: DataView, values: Float32Array): void {
  for (let block = 0, at = 0; at < bytes.byteLength; block += 256, at += 144) {
    const scale = f16(bytes.getUint16(at, true));
    const minimum = f16(bytes.getUint16(at + 2, true));
    for (let group = 0; group < 8; group++) {
      const own = sixBits(bytes, at + 4, group);
      const [step, offset] = [fround(scale * own.scale), fround(minimum * own.minimum)];
      // Two groups share their bytes: the first has the low nibbles.
      const nibbles = at + 16 + 32 * (group >> 1);
      for (let i = 0; i < 32; i++) {
        const nibble = (bytes.getUint8(nibbles + i) >> (group % 2 === 0 ? 0 : 4)) & 15;
        values[block + 32 * group + i] = fround(step * nibble) - offset;
      }
    }
  }
}

/** Scale and minimum of a group out of 12 bytes: the last four groups have their upper two bits in the first eight bytes. */
function sixBits(bytes: DataView, at: number, group: number): { scale: number; minimum: number } {
  const byte = (i: number) => bytes.getUint8(at + i);
  if (group < 4) return { scale: byte(group) & 63, minimum: byte(group + 4) & 63 };
  return {
    scale: (byte(group + 4) & 15) | ((byte(group - 4) >> 6) << 4),
    minimum: (byte(group + 4) >> 4) | ((byte(group) >> 6) << 4),
  };
}

/** 210 bytes for 16 groups of 16: four low bits of each value, two high ones, a signed byte a group, the scale (f16). */
function readQ6K(bytes: DataView, values: Float32Array): void {
  for (let block = 0, at = 0; at < bytes.byteLength; block += 256, at += 210) {
    const scale = f16(bytes.getUint16(at + 208, true));
    for (let i = 0; i < 256; i++) {
      const [half, quarter, place] = [i >> 7, (i >> 5) & 3, i & 31];
      const low = bytes.getUint8(at + 64 * half + 32 * (quarter & 1) + place) >> (quarter < 2 ? 0 : 4);
      const high = bytes.getUint8(at + 128 + 32 * half + place) >> (2 * quarter);
      const step = fround(scale * bytes.getInt8(at + 192 + (i >> 4)));
      values[block + i] = step * (((low & 15) | ((high & 3) << 4)) - 32);
    }
  }
}

/** What of ggml's formats (ggml-quants.c) can be read. */
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
  [GGMLQuantizationType.BF16]: {
    blockBytes: 2,
    blockSize: 1,
    read: (bytes, values) => values.set(bf16ToF32(new Uint16Array(copy(bytes)))),
  },
  [GGMLQuantizationType.Q8_0]: { blockBytes: 34, blockSize: 32, read: readQ8 },
  [GGMLQuantizationType.Q4_0]: { blockBytes: 18, blockSize: 32, read: readQ4 },
  [GGMLQuantizationType.Q4_1]: { blockBytes: 20, blockSize: 32, read: readQ4WithMinimum },
  [GGMLQuantizationType.Q4_K]: { blockBytes: 144, blockSize: 256, read: readQ4K },
  [GGMLQuantizationType.Q6_K]: { blockBytes: 210, blockSize: 256, read: readQ6K },
};

/** Names of those formats, for messages. */
export const FORMAT_NAMES = Object.keys(FORMATS)
  .map((type) => GGMLQuantizationType[Number(type)])
  .join(', ');
