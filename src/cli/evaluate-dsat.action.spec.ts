import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Label, RUBRICS } from '../dsat/verdict.js';
import { createProgram } from './program.js';

let root: string;
const place = (name: string) => join(root, name);

const WORDS: Record<Label, string> = {
  dsat: 'No, that is wrong. It does not work, I still get the same error.',
  sat: 'Perfect, that worked, thank you so much!',
  neutral: 'What is the difference between DNA and RNA?',
};
const LABELS: Label[] = ['dsat', 'neutral', 'sat', 'neutral', 'dsat', 'neutral', 'neutral', 'sat'];
const lines = LABELS.map((label, at) => ({
  conversation: `c${at >> 1}`,
  turn: 2 + 2 * (at % 2),
  label,
  rubric: label === 'dsat' ? 'not-working' : null,
  confidence: at === 4 ? 'low' : 'high',
  stratum: at < 6 ? 'random' : 'picked',
  metadata: { user: at < 4 ? 'new' : 'returning' },
  messages: [
    { role: 'user', content: 'How do I read a file?' },
    { role: 'assistant', content: 'Like this: open("a.csv").read()' },
    { role: 'user', content: WORDS[label] },
  ],
}));

const write = (name: string, rows: object[]) =>
  writeFileSync(place(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'driftloop-evaluate-'));
  write('labels.jsonl', lines);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(root, { recursive: true }));

/** What stdout said. */
async function evaluate(...args: string[]): Promise<string> {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const all = ['evaluate', 'dsat', '--labels', place('labels.jsonl'), ...args];
  await (await createProgram()).parseAsync(all, { from: 'user' });
  return log.mock.calls.map(([text]) => String(text)).join('\n');
}

const lastJson = (output: string) => JSON.parse(output.split('\n').at(-1)!);

/** P(dsat) of each turn, which is called dsat from 0.5 on. */
const said = (dsat: number[]) =>
  lines.map(({ conversation, turn, label }, at) => ({
    conversation,
    turn,
    label: dsat[at]! >= 0.5 ? 'dsat' : label === 'sat' ? 'sat' : 'neutral',
    rubric: at === 0 ? 'not-working' : 'other',
    probabilities: { dsat: dsat[at]!, sat: (1 - dsat[at]!) / 2, neutral: (1 - dsat[at]!) / 2 },
  }));

describe('driftloop evaluate dsat', () => {
  test("classifies the file's own messages with the shipped cascade and ends with the figures", async () => {
    const output = await evaluate('--json');
    const report = lastJson(output);
    expect(report).toMatchObject({ n: 8, conversations: 4, stratum: null, confusion: { dsat: { dsat: 2 } } });
    expect(report.dsat).toMatchObject({ averagePrecision: 1, precision: 1, recall: 1, f1: 1, recallAtPrecision85: 1 });
    expect(report.dsat.ece).toBeGreaterThan(0);
    expect(report.sat.f1).toBe(1);
    expect(report.macroF1).toBe(1);
    expect(report.rubricAccuracy).toBe(1);
    expect(report.classifier).not.toBe('');
    expect(output).toContain('average precision');
  });

  test('takes the turns of one stratum, and says which there are where it has none', async () => {
    expect(lastJson(await evaluate('--stratum', 'random', '--json'))).toMatchObject({ n: 6, stratum: 'random' });
    const none = evaluate('--stratum', 'rare');
    await expect(none).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('random, picked') });
  });

  test('measures predictions of a file as worked out by hand', async () => {
    // From the highest: dsat, neutral, dsat; the last is not called dsat.
    write('said.jsonl', said([0.9, 0.6, 0, 0, 0.4, 0, 0, 0]));
    const report = lastJson(await evaluate('--predictions', place('said.jsonl'), '--by', 'user', '--json'));
    expect(report.dsat).toMatchObject({ precision: 0.5, recall: 0.5, f1: 0.5, recallAtPrecision85: 0.5 });
    expect(report.dsat.averagePrecision).toBeCloseTo(0.5 + 0.5 * (2 / 3));
    expect(report.dsat.ece).toBeCloseTo((0.1 + 0.6 + 0.6) / 8);
    expect(report.macroF1).toBeCloseTo((0.5 + 1 + 0.75) / 3);
    expect(report.rubricAccuracy).toBe(0.5);
    expect(report.dsatAveragePrecisionHighConfidence).toBe(1);
    expect(report.rubrics[RUBRICS.indexOf('not-working')]).toMatchObject({
      turns: 2,
      found: 0.5,
      called: 1,
      precision: 1,
    });
    // Cohorts of fewer than ten turns are one.
    expect(report.slices.user).toMatchObject([{ name: 'others', turns: 8, dsat: 2 }]);
    expect(report.slices.position).toMatchObject([
      { name: 'turn under 4', turns: 4, dsat: 2 },
      { name: 'turn 4 to 9', turns: 4, dsat: 0, averagePrecision: null },
    ]);
    expect(report.intervals95.dsat.averagePrecision).toEqual([expect.any(Number), expect.any(Number)]);
  });

  test('writes report, curves, predictions and charts, and compares with them', async () => {
    await evaluate('--out', place('out'));
    expect(readdirSync(place('out')).sort()).toEqual(
      ['curves.json', 'precision-recall.svg', 'predictions.jsonl', 'reliability.svg', 'report.json'].sort(),
    );
    const curves = JSON.parse(readFileSync(place('out/curves.json'), 'utf8'));
    expect(curves.precisionRecall[0]).toMatchObject({ precision: 1 });
    expect(curves.reliability).toHaveLength(15);
    write('said.jsonl', said([0.9, 0.6, 0, 0, 0.4, 0, 0, 0]));
    const args = ['--predictions', place('said.jsonl'), '--against', place('out/predictions.jsonl'), '--json'];
    const { comparison, against } = lastJson(await evaluate(...args));
    expect(against).toBe(place('out/predictions.jsonl'));
    expect(comparison).toMatchObject({
      averagePrecision: 1,
      f1: 1,
      decisions: { onlyThisRight: 0, onlyOtherRight: 2, p: 0.5 },
    });
    expect(comparison.difference.f1.value).toBe(-0.5);
    await expect(evaluate('--out', place('out'))).rejects.toMatchObject({ code: 'conflict' });
  });

  test('compares with the first stage alone, and with a directory of weights', async () => {
    const first = lastJson(await evaluate('--against', 'first-stage', '--json'));
    expect(first).toMatchObject({ against: 'first-stage', comparison: { averagePrecision: 1 } });
    const weights = lastJson(await evaluate('--against', 'src/dsat/weights', '--json'));
    expect(weights.comparison.difference.averagePrecision).toEqual({ value: 0, interval95: [0, 0], p: 1 });
  });

  test('refuses predictions that leave turns out', async () => {
    write('some.jsonl', said([1, 0, 0, 0, 1, 0, 0, 0]).slice(1));
    const some = evaluate('--predictions', place('some.jsonl'));
    await expect(some).rejects.toMatchObject({
      code: 'record-invalid',
      message: expect.stringContaining('turn 2 of c0'),
    });
  });

  test.each([
    ['no JSON', '{', /:2: not JSON/],
    ['an unknown label', { ...lines[1], label: 'bad' }, /:2: label: /],
    ['a reason for a turn that is not dsat', { ...lines[1], rubric: 'style' }, /:2: rubric: only a dsat turn has one/],
    [
      'messages that end in a reply',
      { ...lines[1], messages: lines[1]!.messages.slice(0, 2) },
      /:2: messages: expected/,
    ],
    ['no messages', { ...lines[1], messages: undefined }, /:2: messages: /],
    ['a turn that has its label', lines[0], /:2: turn 2 of c0 has its label in line 1/],
    ['a turn before any reply', { ...lines[1], turn: 0 }, /:2: turn: /],
  ])('names file and line of %s', async (_, bad, problem) => {
    const text = [lines[0], bad].map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
    writeFileSync(place('bad.jsonl'), text);
    const bads = (await createProgram()).parseAsync(['evaluate', 'dsat', '--labels', place('bad.jsonl')], {
      from: 'user',
    });
    await expect(bads).rejects.toMatchObject({ code: 'record-invalid', message: expect.stringMatching(problem) });
  });
});
