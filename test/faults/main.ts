import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { FAULT_KINDS } from './plan.js';
import { runFaults } from './run-faults.js';
import { inUserNamespace, mayMount } from './small-disk.js';
import { passes } from './verdict.js';

/** So many that some of them wait for the second stage, and that they fill a small disk. */
const TURNS_OF_A_FAULT = 800;
const USAGE = `npm run faults -- [--turns 20000] [--faults 12] [--seed 1] [--keep DIR] [--json]
Sends real turns to the service while it and its servers are struck, and compares the tables with those of an
undisturbed run. At least ${FAULT_KINDS.length} faults: one of each kind, and ${TURNS_OF_A_FAULT} turns for each.`;

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '20000' },
    faults: { type: 'string', default: String(FAULT_KINDS.length) },
    seed: { type: 'string', default: '1' },
    keep: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const [turns, faults, seed] = [Number(values.turns), Number(values.faults), Number(values.seed)];
const valid =
  Number.isInteger(turns) &&
  turns >= TURNS_OF_A_FAULT * faults &&
  faults >= FAULT_KINDS.length &&
  Number.isInteger(seed);
if (values.help || !valid) {
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

const namespace = mayMount() ? undefined : inUserNamespace();
if (namespace) {
  const [command, ...args] = [...namespace, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.exit(spawnSync(command!, args, { stdio: 'inherit' }).status ?? 1);
}

// Its servers and processes end with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const report = await runFaults({ turns, faults, seed, keep: values.keep });
const survived = report.faults.filter(({ outcome }) => outcome === 'survived').length;
const notRun = report.faults.filter(({ outcome }) => outcome === 'not run').length;
const { lost, doubled, lateCrashes, rows, differences } = report;
const crashes = lateCrashes.length + report.faults.reduce((sum, fault) => sum + fault.crashes.length, 0);
const pass = passes(report);

for (const { kind, outcome, what, seconds } of report.faults)
  console.log(`${kind.padEnd(20)} ${outcome}, ${seconds.toFixed(1)} s: ${what}`);
console.log(
  `rows of the undisturbed run: ${Object.entries(rows)
    .map(([table, count]) => `${table} ${count}`)
    .join(', ')}`,
);
for (const difference of differences) console.log(difference);
for (const { worker, what } of lateCrashes) console.log(`${worker} ${what}, where nothing struck`);
console.log(
  `${survived} of ${faults} faults survived, ${notRun} not run, ${crashes} crashes; ${lost} rows lost, ${doubled} doubled: ${pass ? 'pass' : 'FAIL'}`,
);
if (values.json) {
  const figures = {
    turns,
    records: report.records,
    faults,
    faultsSurvived: survived,
    notRun,
    lost,
    doubled,
    crashes,
    seed,
    rows,
    pass,
  };
  console.log(JSON.stringify(figures));
}
process.exitCode = pass ? 0 : 1;
