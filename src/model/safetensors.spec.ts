import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSafetensors, openWeights } from './safetensors-reader.js';
import { writeSafetensors } from './safetensors-writer.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftloop-safetensors-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const lazy = (name: string, shape: number[], values: number[]) => ({
  name,
  shape,
  read: () => Float32Array.from(values),
});

/** A file with one tensor of the given type and bytes. */
function rawFile(dtype: string, shape: number[], bytes: Uint8Array, offsets = [0, bytes.length]): string {
  const header = Buffer.from(JSON.stringify({ x: { dtype, shape, data_offsets: offsets } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = join(dir, 'model.safetensors');
  writeFileSync(file, Buffer.concat([length, header, bytes]));
  return file;
}

test('reads what it wrote, and aligns the data', () => {
  const file = join(dir, 'model.safetensors');
  writeSafetensors(file, [lazy('odd', [1, 3], [1, -2.5, 3e-8]), lazy('b', [2], [4, 5])]);
  const tensors = openSafetensors(file);
  expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
    ['odd', [1, 3]],
    ['b', [2]],
  ]);
  expect(tensors.get('odd')!.read()).toEqual(Float32Array.from([1, -2.5, 3e-8]));
  expect(tensors.get('b')!.read()).toEqual(Float32Array.from([4, 5]));
  expect(Number(readFileSync(file).readBigUInt64LE()) % 8).toBe(0);
});

test('reads half precision of both kinds as fp32', () => {
  const halves = (bits: number[]) => new Uint8Array(Uint16Array.from(bits).buffer);
  // 1, -2, the smallest subnormal, the largest finite, infinity
  const f16 = openSafetensors(rawFile('F16', [5], halves([0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00])));
  expect([...f16.get('x')!.read()]).toEqual([1, -2, 2 ** -24, 65_504, Number.POSITIVE_INFINITY]);
  const bf16 = openSafetensors(rawFile('BF16', [3], halves([0x3f80, 0xc049, 0x0000])));
  expect([...bf16.get('x')!.read()]).toEqual([1, -3.140625, 0]);
});

test('finds tensors in the shards that the index lists', () => {
  writeSafetensors(join(dir, 'one.safetensors'), [lazy('a', [1], [1])]);
  writeSafetensors(join(dir, 'two.safetensors'), [lazy('b', [1], [2])]);
  const weightMap = { a: 'one.safetensors', b: 'two.safetensors' };
  writeFileSync(join(dir, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
  const tensors = openWeights(dir);
  expect([...tensors.values()].map((tensor) => [tensor.name, tensor.read()[0]])).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});

test('names a file that is missing, cut off, or not safetensors', () => {
  expect(() => openWeights(dir)).toThrow(
    expect.objectContaining({ code: 'model-invalid', message: expect.stringMatching(/is missing/) }),
  );
  const file = join(dir, 'model.safetensors');
  writeSafetensors(file, [lazy('first', [4], [1, 2, 3, 4])]);
  truncateSync(file, readFileSync(file).length - 1);
  expect(() => openSafetensors(file)).toThrow(/model\.safetensors is cut off: tensor first ends at byte/);
  truncateSync(file, 20);
  expect(() => openSafetensors(file)).toThrow(/is cut off/);
  writeFileSync(file, 'PK\u0003\u0004 this is another kind of file altogether');
  expect(() => openSafetensors(file)).toThrow(/is not a safetensors file/);
});

test('names a tensor of another type or with another length than its shape', () => {
  expect(() => openSafetensors(rawFile('I64', [1], new Uint8Array(8)))).toThrow(/tensor x is I64/);
  expect(() => openSafetensors(rawFile('F32', [3], new Uint8Array(8)))).toThrow(/tensor x has 8 bytes for shape \[3\]/);
});
