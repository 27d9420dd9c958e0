// Classifies the exchanges on stdin, one JSON object a line, and says what that took: CPU time of all threads of the
// process, while it classifies.
import { createInterface } from 'node:readline';
import { loadCascade, loadFirstStage } from '../../dist/src/dsat/cascade.js';

const BATCH = 64;

const classifier = process.argv[2] === 'first-stage' ? loadFirstStage() : loadCascade();
const totals = { turns: 0, provisional: 0, cpuSeconds: 0, wallSeconds: 0 };

let batch = [];
for await (const line of createInterface({ input: process.stdin })) {
  batch.push(JSON.parse(line));
  if (batch.length === BATCH) await classify();
}
if (batch.length > 0) await classify();

async function classify() {
  const [startedCpu, startedAt] = [process.cpuUsage(), performance.now()];
  const verdicts = await classifier.classify(batch);
  const { user, system } = process.cpuUsage(startedCpu);
  totals.cpuSeconds += (user + system) / 1e6;
  totals.wallSeconds += (performance.now() - startedAt) / 1_000;
  totals.turns += verdicts.length;
  totals.provisional += verdicts.filter(({ status }) => status === 'provisional').length;
  batch = [];
}

const { turns, provisional, cpuSeconds, wallSeconds } = totals;
console.log(
  JSON.stringify({
    turns,
    provisional: provisional / turns,
    cpuSeconds,
    wallSeconds,
    turnsPerCpuSecond: turns / cpuSeconds,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
  }),
);
