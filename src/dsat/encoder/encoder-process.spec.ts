import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DriftError } from '../../drift-error.js';
import { EncoderProcess } from './encoder-process.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'driftloop-encoder-'));
});
afterEach(() => rm(dir, { recursive: true }));

const exchange = { prompt: 'a', reply: 'b', userTurn: 'c' };

describe('an encoder whose files are not there', () => {
  it('says which file is missing, each time it is asked', async () => {
    const encoder = new EncoderProcess({ dir, sha256: ['', ''] });
    for (let time = 0; time < 2; time++) {
      const error = await encoder.score([exchange]).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(DriftError);
      expect(error).toMatchObject({ code: 'model-invalid', message: expect.stringContaining(join(dir, 'encoder')) });
    }
  });

  it('does not use other files than it was built with', async () => {
    await writeFile(join(dir, 'encoder.onnx'), 'other');
    await writeFile(join(dir, 'encoder-tokenizer.json'), '{}');
    const encoder = new EncoderProcess({ dir, sha256: ['0'.repeat(64), '0'.repeat(64)] });
    await expect(encoder.score([exchange])).rejects.toThrow(/is not the file/);
  });
});
