#!/usr/bin/env node
// npm run bench:engine [-- --json] [--part dpo|sampling …]
// Driftloop beside its peers on this machine: the same model, inputs and settings, one process after the other.
import { parseArgs } from 'node:util';

/**
 * A part prints its own tables and returns what it adds to the JSON line. Each worker and peer is a process of its own
 * (`run-worker.mjs`), so that its CPU time and peak memory are its own.
 * @typedef {{ pass: boolean, failures: string[] } & Record<string, unknown>} PartResult
 * @type {Record<string, () => Promise<PartResult>>}
 */
const PARTS = {
  dpo: async () => (await import('./dpo/part.mjs')).dpoPart(),
  sampling: async () => (await import('./sampling/part.mjs')).samplingPart(),
};

const { values } = parseArgs({ options: { json: { type: 'boolean' }, part: { type: 'string', multiple: true } } });
const names = values.part ?? Object.keys(PARTS);
const unknown = names.find((name) => !(name in PARTS));
if (unknown !== undefined) {
  console.error(`There is no part ${unknown}; the parts are ${Object.keys(PARTS).join(', ')}.`);
  process.exit(2);
}

/**
 * A part that breaks off has failed; the others and the JSON line still come.
 * @param {string} name
 * @returns {Promise<PartResult>}
 */
async function run(name) {
  try {
    return await PARTS[name]();
  } catch (error) {
    console.log(`failed: ${error.message}`);
    return { pass: false, failures: [`${name}: ${error.message}`] };
  }
}

/** @type {PartResult} */
const result = { pass: true, failures: [] };
for (const name of names) {
  const { pass, failures, ...figures } = await run(name);
  Object.assign(result, figures);
  result.failures = [...result.failures, ...failures];
  result.pass &&= pass;
}
console.log(result.pass ? 'All goals are reached.' : 'Not all goals are reached.');
if (values.json) console.log(JSON.stringify(result));
process.exitCode = result.pass ? 0 : 1;
