import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cachePaths, defaultCacheDir } from '../../../scripts/setup/assets.mjs';
import { Attempts, median } from '../attempts.mjs';
import { runNode, runPython } from '../run-worker.mjs';
import { samplingFlop } from './flop.mjs';
import { llamaCppPackage } from './llama-cpp-package.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const PAIRS = path('../../../test/reference/smollm2-135m/pairs64.json');

const DTYPES = /** @type {const} */ (['fp32', 'bf16']);
const PROMPT_TOKENS = 200;
const NEW_TOKENS = 96;
const REPEATS = 3;
/** Of the cases beside the plain one. */
const FEWER_REPEATS = 2;
/** Ours over theirs in tokens a second. */
const GOAL = 2;

const threads = availableParallelism();
const { modelDir, modelGguf } = cachePaths(defaultCacheDir());

/** Windows of the same length out of the real prompts, one after the other: none shares its beginning with another. */
function prompts(count) {
  const ids = JSON.parse(readFileSync(PAIRS, 'utf8')).flatMap((pair) => pair.prompt_ids);
  return Array.from({ length: count }, (_, i) => ids.slice(i * PROMPT_TOKENS, (i + 1) * PROMPT_TOKENS));
}

/** Lengths spread evenly up to the limit, in an order that looks like chance. */
const spread = (count) =>
  Array.from({ length: count }, (_, i) => 1 + Math.floor((NEW_TOKENS * ((i * 29) % count)) / count));

/** Completions of a batch: all to the limit, with early endings (64, of which a batch holds 32), four to a prompt. */
const CASES = {
  plain: { repeats: REPEATS, prompts: prompts(32), samples: 1, lengths: new Array(32).fill(NEW_TOKENS) },
  endings: { repeats: FEWER_REPEATS, prompts: prompts(64), samples: 1, lengths: spread(64) },
  fourSamples: { repeats: FEWER_REPEATS, prompts: prompts(8), samples: 4, lengths: new Array(32).fill(NEW_TOKENS) },
};

const shared = (settings, dtype, repeats) => ({ model: modelDir, threads, dtype, ...settings, repeats });

/** Medians over a worker's runs. */
function summary({ setup, first, runs, peakBytes }) {
  return {
    tokensPerSecond: median(runs.map(({ tokens, wall }) => tokens / wall)),
    tokensPerCpuSecond: median(runs.map(({ tokens, cpu }) => tokens / cpu)),
    cpu: median(runs.map(({ cpu }) => cpu)),
    wall: median(runs.map(({ wall }) => wall)),
    /** Of one token each: the prompts. */
    promptsCpu: first.cpu,
    setupCpu: setup.cpu,
    peakBytes,
  };
}

const TITLES = ['tokens/s', 'per CPU s', 'CPU s', 'prompts', 'set-up', 'peak GiB'];

function print(name, figures, share) {
  if (figures === undefined) return console.log(`${name.padEnd(34)} failed`);
  const { tokensPerSecond, tokensPerCpuSecond, cpu, promptsCpu, setupCpu, peakBytes } = figures;
  const numbers = [tokensPerSecond, tokensPerCpuSecond, cpu, promptsCpu, setupCpu, peakBytes / 2 ** 30];
  const columns = numbers.map((number) => number.toFixed(number < 10 ? 2 : 0).padStart(10)).join('');
  console.log(`${name.padEnd(34)}${columns}${share === undefined ? '' : `${(100 * share).toFixed(0).padStart(9)} %`}`);
}

async function own(name, settings, dtype, rates, attempts) {
  const title = `driftloop ${name} ${dtype}`;
  const figures = await attempts.run(title, async () =>
    summary(await runNode(path('ours.mjs'), shared(settings, dtype, settings.repeats))),
  );
  print(title, figures, figures && samplingFlop(settings) / (rates[dtype] * 1e9) / figures.cpu);
  return figures;
}

async function peer(name, settings, dtype, attempts) {
  const title = `transformers ${name} ${dtype}`;
  // On many CPUs its bf16 takes minutes: once is enough to see that it does not count.
  const repeats = dtype === 'bf16' ? 1 : settings.repeats;
  const work = async () => summary(await runPython(path('transformers_generate.py'), shared(settings, dtype, repeats)));
  const figures = await attempts.run(title, work);
  print(title, figures);
  return figures;
}

/** Both sides, in turn, each in these dtypes; the faster of each counts. */
async function compare(name, settings, dtypes, rates, attempts) {
  const figures = { own: {}, peer: {} };
  for (const dtype of DTYPES) {
    if (dtypes.own.includes(dtype)) figures.own[dtype] = await own(name, settings, dtype, rates, attempts);
    if (dtypes.peer.includes(dtype)) figures.peer[dtype] = await peer(name, settings, dtype, attempts);
  }
  const [ours, theirs] = [fastest(figures.own), fastest(figures.peer)];
  return {
    ...figures,
    fastest: { own: ours.dtype, peer: theirs.dtype },
    ...ratios(figures.own[ours.dtype], figures.peer[theirs.dtype]),
  };
}

/** Ours over theirs: by the clock, which counts, and by CPU seconds, which other work on the machine disturbs less. */
function ratios(own, peer) {
  if (!own || !peer) return { ratio: null, cpuRatio: null };
  return {
    ratio: own.tokensPerSecond / peer.tokensPerSecond,
    cpuRatio: own.tokensPerCpuSecond / peer.tokensPerCpuSecond,
  };
}

function fastest(byDtype) {
  const rates = Object.entries(byDtype).map(([dtype, figures]) => ({ dtype, rate: figures?.tokensPerSecond ?? 0 }));
  return rates.reduce((best, next) => (next.rate > best.rate ? next : best));
}

/** llama.cpp has the same model in four bits: it reads an eighth of the bytes, and computes something else. */
async function compareLlamaCpp(sequences, rates, attempts) {
  const settings = {
    repeats: REPEATS,
    prompts: prompts(sequences),
    samples: 1,
    lengths: new Array(sequences).fill(NEW_TOKENS),
  };
  const name = `${sequences} at once`;
  const ours = await own(name, settings, 'bf16', rates, attempts);
  const inputs = { gguf: modelGguf, prompts: settings.prompts, newTokens: NEW_TOKENS, repeats: REPEATS, threads };
  const work = async () => summary(await runNode(path('llama-cpp.mjs'), { packageDir: llamaCppPackage(), ...inputs }));
  const theirs = await attempts.run(`llama.cpp ${name}`, work);
  print(`llama.cpp ${name} Q4_1`, theirs);
  return { own: ours, peer: theirs, ...ratios(ours, theirs) };
}

/** @returns {Promise<import('../main.mjs').PartResult>} */
export async function samplingPart() {
  const attempts = new Attempts();
  const rates = await runNode(path('../matmul-rates.mjs'), {});
  console.log(`${'sampling'.padEnd(34)}${TITLES.map((title) => title.padStart(10)).join('')}   of limit`);
  const plain = await compare('plain', CASES.plain, { own: DTYPES, peer: DTYPES }, rates, attempts);
  // The others in the dtype that was faster for each side.
  const dtypes = { own: [plain.fastest.own], peer: [plain.fastest.peer] };
  const endings = await compare('early endings', CASES.endings, dtypes, rates, attempts);
  const fourSamples = await compare('4 samples a prompt', CASES.fourSamples, dtypes, rates, attempts);
  const llamaCpp = {
    one: await compareLlamaCpp(1, rates, attempts),
    eight: await compareLlamaCpp(8, rates, attempts),
  };
  const sampling = {
    ratio: plain.ratio,
    cpuRatio: plain.cpuRatio,
    endingsRatio: endings.ratio,
    fourSamplesRatio: fourSamples.ratio,
    llamaCppOneRatio: llamaCpp.one.ratio,
    llamaCppEightRatio: llamaCpp.eight.ratio,
  };
  for (const [name, ratio] of Object.entries(sampling))
    console.log(`${name} ${ratio?.toFixed(2) ?? 'unknown'}${name === 'ratio' ? ` (goal: at least ${GOAL})` : ''}`);
  const { failures } = attempts;
  for (const failure of failures) console.log(`failed: ${failure}`);
  const pass = failures.length === 0 && sampling.ratio !== null && sampling.ratio >= GOAL;
  return { pass, sampling, samplingFigures: { plain, endings, fourSamples, llamaCpp }, failures };
}
