import { readFileSync } from 'node:fs';
import { GGMLQuantizationType } from '@huggingface/gguf';
import { expect, test } from 'vitest';
import { FORMATS } from './dequantise.js';

function dequantise(type: GGMLQuantizationType, bytes: number[], count: number): number[] {
  const values = new Float32Array(count);
  FORMATS[type]!.read(new DataView(Uint8Array.from(bytes).buffer), values);
  return [...values];
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

test('Q8_0: a scale, then 32 signed bytes, block by block', () => {
  const half = [0x00, 0x38]; // 0.5
  const two = [0x00, 0x40];
  const bytes = [...half, ...range(32).map((i) => (i - 16) & 255), ...two, ...range(32)];
  expect(dequantise(GGMLQuantizationType.Q8_0, bytes, 64)).toEqual([
    ...range(32).map((i) => (i - 16) / 2),
    ...range(32).map((i) => 2 * i),
  ]);
});

test('Q4_1: scale and minimum, low nibbles first, then high ones', () => {
  const bytes = [0x00, 0x38, 0x00, 0xc0, ...range(16).map((i) => i | ((15 - i) << 4))];
  expect(dequantise(GGMLQuantizationType.Q4_1, bytes, 32)).toEqual([
    ...range(16).map((i) => i / 2 - 2),
    ...range(16).map((i) => (15 - i) / 2 - 2),
  ]);
});

test('F16 and F32 as they are', () => {
  expect(dequantise(GGMLQuantizationType.F16, [0x00, 0x3c, 0x00, 0xb8], 2)).toEqual([1, -0.5]);
  expect(dequantise(GGMLQuantizationType.F32, [...new Uint8Array(new Float32Array([0.1]).buffer)], 1)).toEqual([
    Math.fround(0.1),
  ]);
});

/** Written by `test/reference/quantisation/make_blocks.py`. */
const BLOCKS: { format: keyof typeof GGMLQuantizationType; bytes: string; values: string }[] = JSON.parse(
  readFileSync(new URL('../../test/reference/quantisation/blocks.json', import.meta.url), 'utf8'),
);

test.each(BLOCKS)('$format: reads random blocks as the gguf package does', ({ format, bytes, values }) => {
  const raw = Buffer.from(values, 'base64');
  const expected = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
  const actual = dequantise(GGMLQuantizationType[format], [...Buffer.from(bytes, 'base64')], expected.length);
  expect(Float32Array.from(actual)).toEqual(expected);
});
