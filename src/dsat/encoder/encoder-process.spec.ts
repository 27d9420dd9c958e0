import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DriftError } from '../../drift-error.js';
import { readWeights } from '../read-weights.js';
import { decodeStage } from '../stage-model.js';
import { EncoderProcess } from './encoder-process.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'driftloop-encoder-'));
});
afterEach(() => rm(dir, { recursive: true }));

const exchange = { prompt: 'a', reply: 'b', userTurn: 'c' };

describe('an encoder whose files are not there', () => {
  it('says which file is missing, each time it is asked', async () => {
    const encoder = new EncoderProcess({ dir, sha256: { model: '', tokenizer: '' } });
    for (let time = 0; time < 2; time++) {
      const error = await encoder.score([exchange]).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(DriftError);
      expect(error).toMatchObject({ code: 'model-invalid', message: expect.stringContaining(join(dir, 'encoder')) });
    }
  });

  it('does not use other files than it was built with', async () => {
    await writeFile(join(dir, 'encoder.onnx'), 'other');
    await writeFile(join(dir, 'encoder-tokenizer.json'), '{}');
    const encoder = new EncoderProcess({ dir, sha256: { model: '0'.repeat(64), tokenizer: '0'.repeat(64) } });
    await expect(encoder.score([exchange])).rejects.toThrow(/is not the file/);
  });
});

describe('an encoder whose process is killed', () => {
  it('says that trying again helps, and starts another one', async () => {
    const shipped = 'src/dsat/weights';
    const { sha256 } = decodeStage(readWeights(join(shipped, 'second-stage.bin')), 'second-stage.bin').encoder!;
    const encoder = new EncoderProcess({ dir: shipped, sha256 });
    const scores = await encoder.score([exchange]);
    const [pid, ...others] = encoderProcesses();
    expect(others).toEqual([]);
    process.kill(pid!, 'SIGKILL');
    const error = await encoder.score([exchange]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'model-invalid',
      retriable: true,
      message: expect.stringContaining('SIGKILL'),
    });
    expect(await encoder.score([exchange])).toEqual(scores);
  });
});

/** Children of this process that run an encoder over the shipped files. */
function encoderProcesses(): number[] {
  return readdirSync('/proc/self/task')
    .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' '))
    .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('"dir":"src/dsat/weights"'))
    .map(Number);
}
