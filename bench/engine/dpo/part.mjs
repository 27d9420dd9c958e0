import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachePaths, defaultCacheDir } from '../../../scripts/setup/assets.mjs';
import { Attempts, median } from '../attempts.mjs';
import { runNode, runPython } from '../run-worker.mjs';
import { checkFigures } from './check-figures.mjs';
import { stepFlop } from './flop.mjs';
import { longPairs } from './long-pairs.mjs';

const OURS = fileURLToPath(new URL('ours.mjs', import.meta.url));
const THEIRS = fileURLToPath(new URL('trl_dpo.py', import.meta.url));
const RATES = fileURLToPath(new URL('../matmul-rates.mjs', import.meta.url));
const PAIRS = fileURLToPath(new URL('../../../test/reference/smollm2-135m/pairs64.json', import.meta.url));

/** The first step warms up; the median of the others counts. */
const STEPS = 4;
/** Of TRL as it comes, the slowest by far. */
const STOCK_STEPS = 3;
const BATCH_SIZE = 4;
const LONG = { steps: 3, batchSize: 2, promptTokens: 1024, completionTokens: 256 };

/** Ours over theirs, in CPU seconds a step; stock is our bf16 over TRL as it comes. */
const GOALS = { bf16Ratio: 0.5, fp32Ratio: 0.6, loraRatio: 0.6, stockRatio: 1 / 6 };
const PEAK_GOAL = 1;

/** @param {string} dir */
function cases(dir) {
  const long = join(dir, 'long.json');
  const pairs = JSON.parse(readFileSync(PAIRS, 'utf8'));
  writeFileSync(long, JSON.stringify(longPairs(pairs, LONG.steps * LONG.batchSize, LONG)));
  const usual = { pairs: PAIRS, steps: STEPS, batchSize: BATCH_SIZE, lora: null };
  return {
    bf16: { ...usual, dtype: 'bf16' },
    fp32: { ...usual, dtype: 'fp32' },
    lora: { ...usual, dtype: 'fp32', lora: 16 },
    long: { ...usual, dtype: 'bf16', ...LONG, pairs: long },
  };
}

function workerSettings({ pairs, steps, batchSize, dtype, lora }) {
  const { modelDir: model } = cachePaths(defaultCacheDir());
  return { model, threads: availableParallelism(), pairs, count: steps * batchSize, batchSize, dtype, lora };
}

const ours = (settings) => runNode(OURS, workerSettings(settings));

function theirs(settings, stock = false) {
  const dtype = settings.dtype === 'bf16' ? 'autocast' : 'fp32';
  return runPython(THEIRS, { ...workerSettings(settings), dtype, stock });
}

/** Of a worker's report: medians without the first step. */
function summary({ setup, steps, peakBytes, estimatedBytes }) {
  const [, ...measured] = steps;
  return {
    cpu: median(measured.map(({ cpu }) => cpu)),
    wall: median(measured.map(({ wall }) => wall)),
    setupCpu: setup.cpu,
    firstStepCpu: steps[0].cpu,
    peakBytes,
    estimatedBytes,
    losses: steps.map(({ loss }) => loss),
  };
}

function print(name, figures, share) {
  if (figures === undefined) return console.log(`${name.padEnd(26)} failed`);
  const numbers = [figures.cpu, figures.wall, figures.firstStepCpu, figures.setupCpu, figures.peakBytes / 2 ** 30];
  const columns = numbers.map((number) => number.toFixed(2).padStart(10)).join('');
  console.log(`${name.padEnd(26)}${columns}${share === undefined ? '' : `${(100 * share).toFixed(0).padStart(9)} %`}`);
}

const HEADER = `${'dpo, a step'.padEnd(26)}${['CPU s', 'wall s', 'first CPU', 'set-up CPU', 'peak GiB'].map((title) => title.padStart(10)).join('')}   of limit`;

/** @returns {Promise<import('../main.mjs').PartResult>} */
export async function dpoPart() {
  const dir = mkdtempSync(join(tmpdir(), 'driftloop-bench-'));
  const attempts = new Attempts();
  const figures = {};
  try {
    const rates = await runNode(RATES, {});
    console.log(`matrix products, GFLOP a CPU second: fp32 ${rates.fp32.toFixed(0)}, bf16 ${rates.bf16.toFixed(0)}`);
    console.log(HEADER);
    for (const [name, settings] of Object.entries(cases(dir))) {
      const flop = stepFlop(settings);
      const own = await attempts.run(`driftloop ${name}`, async () => summary(await ours(settings)));
      const peer = await attempts.run(`TRL ${name}`, async () => summary(await theirs(settings)));
      const share = own && flop / (rates[settings.dtype] * 1e9) / own.cpu;
      print(`driftloop ${name}`, own, share);
      print(`TRL ${name}`, peer);
      if (own) console.log(`  peak estimated before the run: ${(own.estimatedBytes / 2 ** 30).toFixed(2)} GiB`);
      figures[name] = { own, peer, share, teraflop: flop / 1e12 };
    }
    const asItComes = { ...cases(dir).fp32, steps: STOCK_STEPS };
    const stock = await attempts.run('TRL stock', async () => summary(await theirs(asItComes, true)));
    print('TRL stock', stock);
    const failures = [...attempts.failures, ...checkFigures(figures)];
    return result(figures, stock, rates, failures);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const over = (a, b, what) => (a && b ? a[what] / b[what] : null);

function result(figures, stock, rates, failures) {
  const { bf16, fp32, lora, long } = figures;
  const dpo = {
    bf16Ratio: over(bf16.own, bf16.peer, 'cpu'),
    fp32Ratio: over(fp32.own, fp32.peer, 'cpu'),
    loraRatio: over(lora.own, lora.peer, 'cpu'),
    stockRatio: over(bf16.own, stock, 'cpu'),
    longRatio: over(long.own, long.peer, 'cpu'),
  };
  const peaks = Object.values(figures).map(({ own, peer }) => over(own, peer, 'peakBytes'));
  const peakMemoryRatio = peaks.includes(null) ? null : Math.max(...peaks);
  const reached = (ratio, goal) => ratio !== null && ratio <= goal;
  const missed = Object.entries(GOALS).filter(([name, goal]) => !reached(dpo[name], goal));
  for (const [name, ratio] of Object.entries(dpo)) {
    console.log(
      `${name} ${ratio?.toFixed(3) ?? 'unknown'}${name in GOALS ? ` (goal: at most ${GOALS[name].toFixed(3)})` : ''}`,
    );
  }
  console.log(`peakMemoryRatio ${peakMemoryRatio?.toFixed(3) ?? 'unknown'} (goal: at most ${PEAK_GOAL})`);
  for (const failure of failures) console.log(`failed: ${failure}`);
  const pass = failures.length === 0 && missed.length === 0 && reached(peakMemoryRatio, PEAK_GOAL);
  return { pass, dpo, peakMemoryRatio, dpoFigures: { ...figures, stock }, matMulRates: rates, failures };
}
