import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBytes } from './read-bytes.js';

let dir: string;
const file = () => join(dir, 'bytes');

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftloop-bytes-'));
  writeFileSync(file(), Buffer.from([1, 2, 3, 4, 5]));
});
afterAll(() => rmSync(dir, { recursive: true }));

test('reads the bytes of a place in a file', () => {
  expect([...new Uint8Array(readBytes(file(), 1, 3))]).toEqual([2, 3, 4]);
});

test('says where a file ends that should go on, instead of giving zeros', () => {
  expect(() => readBytes(file(), 3, 4)).toThrow(
    expect.objectContaining({ code: 'model-invalid', message: `${file()} is cut off: it ends at byte 5.` }),
  );
});
