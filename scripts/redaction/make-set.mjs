/**
 * Writes data/redaction/set.jsonl: chat turns in which everything that redaction should find is marked, and hard
 * negatives. All of it is made up here, from a seed: `node scripts/redaction/make-set.mjs`.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { values } from './values.mjs';

const OUT = join(import.meta.dirname, '..', '..', 'data', 'redaction', 'set.jsonl');
const PER_KIND = 120;
const NEGATIVES = 400;

/** A generator of numbers in [0, 1) that a seed decides. @param {string} seed */
function randomOf(seed) {
  let counter = 0;
  return () => createHash('sha256').update(`${seed} ${counter++}`).digest().readUInt32BE(0) / 2 ** 32;
}

/** `<<kind:value>>` marks what is to be found. @param {string} marked */
function example(marked) {
  const spans = [];
  let text = '';
  let at = 0;
  for (const { 0: whole, 1: kind, 2: value, index } of marked.matchAll(/<<(\w+):(.*?)>>/gs)) {
    text += marked.slice(at, index);
    spans.push({ kind, start: text.length, end: text.length + value.length });
    text += value;
    at = index + whole.length;
  }
  return { text: text + marked.slice(at), spans };
}

const random = randomOf('redaction set 1');
const { positives, negatives } = values(random);
const lines = [];
for (const [kind, make] of Object.entries(positives)) {
  for (let index = 0; index < PER_KIND; index++) lines.push({ about: kind, ...example(make(index)) });
}
for (let index = 0; index < NEGATIVES; index++) lines.push({ about: 'negative', ...example(negatives(index)) });
mkdirSync(dirname(OUT), { recursive: true });
writeFileSync(OUT, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
console.log(`${lines.length} turns in ${OUT}`);
