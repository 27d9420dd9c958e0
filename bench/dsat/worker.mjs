// Classifies the exchanges on stdin, one JSON object a line, and says what that took: CPU time of all threads of the
// process and of the encoder's, while it classifies (Linux: /proc says what a child takes).
import { readFileSync } from 'node:fs';
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
  const [startedCpu, startedAt] = [cpuSeconds(), performance.now()];
  const verdicts = await classifier.classify(batch);
  totals.cpuSeconds += cpuSeconds() - startedCpu;
  totals.wallSeconds += (performance.now() - startedAt) / 1_000;
  totals.turns += verdicts.length;
  totals.provisional += verdicts.filter(({ status }) => status === 'provisional').length;
  batch = [];
}

const { turns, provisional, wallSeconds } = totals;
const rssMb = children().reduce((sum, pid) => sum + peakRssMb(pid), process.resourceUsage().maxRSS / 1024);
console.log(
  JSON.stringify({
    turns,
    provisional: provisional / turns,
    cpuSeconds: totals.cpuSeconds,
    wallSeconds,
    turnsPerCpuSecond: turns / totals.cpuSeconds,
    peakRssMb: rssMb,
  }),
);

function children() {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '');
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return children().reduce((sum, pid) => sum + childCpuSeconds(pid), (user + system) / 1e6);
}

/** User and system time, in hundredths of a second, are the 14th and 15th field; the second may hold blanks. */
function childCpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function peakRssMb(pid) {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
