#!/usr/bin/env node
// npm run bench:dsat [-- --json] [--turns 4000]
// What classifying costs, on follow-up user turns of the real conversations as they come; a turn is one of them with its
// exchange. Each measurement is a process of its own, so that its memory is the classifier's and not the corpus's.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { loadCard } from '../../dist/src/dsat/cascade.js';
import { drawn, readExchanges } from './exchanges.mjs';
import { measure } from './measure.mjs';

const GOALS = { firstStage: 20_000, cascade: 100, rssMb: 500 };

const { values } = parseArgs({
  options: { turns: { type: 'string', default: '4000' }, json: { type: 'boolean', default: false } },
});
const turns = Number(values.turns);
if (!Number.isInteger(turns) || turns < 1) {
  console.error('npm run bench:dsat -- [--turns 4000] [--json]; the turns are those that the whole cascade reads');
  process.exit(2);
}

const exchanges = await readExchanges();
const firstStage = await measure('first-stage', exchanges);
const cascade = await measure('cascade', drawn(exchanges, turns));
const { version, accuracyAgainstShare = null } = loadCard();
const peakRssMb = Math.max(firstStage.peakRssMb, cascade.peakRssMb);
const pass =
  firstStage.turnsPerCpuSecond >= GOALS.firstStage &&
  cascade.turnsPerCpuSecond >= GOALS.cascade &&
  peakRssMb < GOALS.rssMb;

const line = (name, { turns: count, turnsPerCpuSecond, cpuSeconds, wallSeconds, peakRssMb: rss }) =>
  `${name.padEnd(11)}  ${turnsPerCpuSecond.toFixed(0).padStart(7)} turns per CPU-second (${count} turns in ${cpuSeconds.toFixed(1)} CPU-s, ${wallSeconds.toFixed(1)} s), peak RSS ${rss.toFixed(0)} MB`;
console.log(`${version} on ${cpus()[0]?.model ?? 'an unknown processor'}`);
console.log(line('first stage', firstStage));
console.log(line('cascade', cascade));
console.log(`the second stage reads ${(100 * firstStage.provisional).toFixed(1)} % of the turns`);
for (const { provisional, dsatAveragePrecision, dsatF1 } of accuracyAgainstShare ?? []) {
  console.log(
    `  had it ${(100 * provisional).toFixed(1).padStart(5)} %: average precision ${dsatAveragePrecision}, F1 ${dsatF1} (the card's, out of fold)`,
  );
}
console.log(pass ? 'all goals are reached' : 'not all goals are reached');
if (values.json) {
  const secondStageShare = firstStage.provisional;
  console.log(
    JSON.stringify({ version, firstStage, cascade, secondStageShare, peakRssMb, accuracyAgainstShare, pass }),
  );
}
process.exitCode = pass ? 0 : 1;
