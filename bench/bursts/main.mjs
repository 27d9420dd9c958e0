#!/usr/bin/env node
// npm run bench:bursts [-- --json]
// How often near-duplicate bursts are seen where there are none, and how many of injected ones are found. The real
// conversations have no times, so they are taken as said in one moment: the hardest case for what must not be seen.
import { parseArgs } from 'node:util';
import { BURST_RULES, findBursts } from '../../dist/src/anchor/bursts/find-bursts.js';
import { fingerprintOf } from '../../dist/src/anchor/bursts/read-complaints.js';
import { uniform } from '../../dist/src/seeds.js';
import { readExchanges } from './exchanges.mjs';
import { bursts } from './injected.mjs';

const { values } = parseArgs({ options: { json: { type: 'boolean' } } });
const NOW = Date.UTC(2026, 0, 5);
const started = process.cpuUsage();

const exchanges = await readExchanges();
/** @param {import('./exchanges.mjs').Spoken} spoken */
const complaint = ({ id, conversationId, feedback, rejected, occurredAt = NOW }) => ({
  ...{ id, conversationId, occurredAt },
  feedback: fingerprintOf(feedback),
  exchange: fingerprintOf(`${feedback} ${rejected}`),
});
const followUps = exchanges.map((exchange) => ({ ...complaint(exchange), dsat: exchange.dsat }));
const complaints = followUps.filter(({ dsat }) => dsat);
const countOf = (found) => found.reduce((sum, { ids }) => sum + ids.length, 0);

const seen = findBursts(complaints);
const inFollowUps = findBursts(followUps);
console.log(`${complaints.length} real complaints: ${countOf(seen)} in ${seen.length} bursts`);
console.log(
  `${followUps.length} follow-up turns, as if all were complaints: ${countOf(inFollowUps)} in ${inFollowUps.length} bursts`,
);

const spoken = exchanges.filter(({ dsat }) => dsat);
const injected = [];
for (const rule of BURST_RULES) {
  for (const times of [1.2, 2]) injected.push(inject(rule, times));
}

/** Floods that are so many times as large as the rule asks for at least, one after the other among all real complaints. */
function inject({ alike, conversations, share }, times) {
  const least = Math.max(conversations, (share / (1 - share)) * complaints.length);
  const size = Math.ceil(least * times);
  const floods = bursts(alike, spoken, size, NOW, uniform(7));
  let [caught, real] = [0, 0];
  for (const flood of floods) {
    const ids = findBursts([...complaints, ...flood.map(complaint)]).flatMap((burst) => burst.ids);
    const hit = ids.filter((id) => id.startsWith('burst-')).length;
    caught += hit;
    real += ids.length - hit;
  }
  const anchors = floods.length * size;
  console.log(
    `${alike}, ${floods.length} floods of ${size}: ${caught} of ${anchors} anchors caught, and ${real} real ones`,
  );
  return { alike, times, size, anchors, caught: caught / anchors, real };
}

const { user, system } = process.cpuUsage(started);
const falseShare = countOf(seen) / complaints.length;
const pass = falseShare <= 0.001 && injected.every(({ times, caught }) => times < 2 || caught >= 0.95);
console.log(
  `${((user + system) / 1e6).toFixed(0)} CPU-s; ${pass ? 'all goals are reached' : 'not all goals are reached'}`,
);
if (values.json) {
  const real = {
    complaints: complaints.length,
    quarantined: countOf(seen),
    followUps: followUps.length,
    followUpsQuarantined: countOf(inFollowUps),
  };
  console.log(JSON.stringify({ ...real, injected, pass }));
}
process.exitCode = pass ? 0 : 1;
