import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { LazyTensor } from './lazy-tensor.js';

/** Writes fp32 tensors one by one, so that no more than one is held; synced to disk on return. */
export function writeSafetensors(path: string, tensors: readonly LazyTensor[]): void {
  const file = openSync(path, 'w');
  try {
    writeFully(file, header(tensors));
    for (const tensor of tensors) {
      const values = tensor.read();
      writeFully(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** 8 bytes of length, then JSON, padded with spaces so that the data is aligned. */
function header(tensors: readonly LazyTensor[]): Uint8Array {
  const entries: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const { name, shape } of tensors) {
    const bytes = 4 * shape.reduce((product, length) => product * length, 1);
    entries[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = Buffer.from(JSON.stringify(entries));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded]);
}

function writeFully(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}
