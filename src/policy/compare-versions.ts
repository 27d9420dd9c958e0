import type { DataSource } from 'typeorm';
import { readAnchorCases } from '../anchor/anchor-read.js';
import { DriftError } from '../drift-error.js';
import { harmless } from '../harmless.js';
import type { TrainingEngine } from '../training/engine/training-engine.js';
import { PolicySlot } from '../training/policy-slot.js';
import type { Progress } from '../training/progress.js';
import type { PromptTokenizer } from '../training/prompt/shorten.js';
import { RunEntity } from '../training/run.entity.js';
import { type RunSettings, runSettingsSchema } from '../training/settings.js';
import { sourceOf } from '../training/start-point.js';
import type { PairRow } from '../training/store/pair-row.js';
import { readPairs } from '../training/store/pair-store.js';
import { readPolicy } from './policy-read.js';

export interface Comparison {
  anchorId: string;
  request: string;
  rejected: string;
  feedback: string;
  /** In the order that was asked for. */
  replies: { version: string; reply: string }[];
}

export interface Comparer {
  dataSource: DataSource;
  engine: TrainingEngine;
  tokenizer: PromptTokenizer;
  baseDir: string;
  progress: Progress;
}

/**
 * Greedy replies of two versions (`base` is the base model) to the bare prompts of held-out anchors: those of the run
 * that made the later version.
 * @throws DriftError `not-found` for an unknown version, `usage` when both are the base model
 */
export async function compareVersions(
  comparer: Comparer,
  versions: [string, string],
  most: number,
): Promise<Comparison[]> {
  const { dataSource, engine, tokenizer, baseDir, progress } = comparer;
  const { settings, pairs } = await readHeldOut(dataSource, versions, most);
  const slot = new PolicySlot(engine, settings.dtype);
  const replies: string[][] = [];
  try {
    for (const version of versions) {
      progress.line(`replies of ${version} to ${pairs.length} held-out anchors …`);
      const policy = await slot.use(await sourceOf(dataSource, version === 'base' ? null : version, baseDir));
      const requests = pairs.map(({ promptIds }) => ({ promptIds, seed: settings.seed }));
      const samples = await policy.sample(requests, {
        temperature: 0,
        topP: 1,
        topK: 0,
        maxNewTokens: settings.newTokens,
      });
      replies.push(samples.map(({ ids }) => tokenizer.decode(ids, { skipSpecial: true })));
    }
  } finally {
    slot.release();
  }
  return describe(dataSource, pairs, (index) =>
    versions.map((version, of) => ({ version, reply: replies[of]![index]! })),
  );
}

async function readHeldOut(
  dataSource: DataSource,
  versions: readonly string[],
  most: number,
): Promise<{ settings: RunSettings; pairs: PairRow[] }> {
  const published = versions.filter((version) => version !== 'base');
  const policies = await Promise.all(published.map((version) => readPolicy(dataSource, version)));
  const latest = policies.sort((a, b) => b.number - a.number).find(({ runId }) => runId !== null);
  if (!latest?.runId)
    throw new DriftError('usage', 'Name at least one version that a run made: its held-out anchors are compared on.');
  const run = await dataSource.getRepository(RunEntity).findOneByOrFail({ id: latest.runId });
  const pairs = await readPairs(dataSource, { runId: run.id, iteration: 0, split: 'held-out' });
  return { settings: runSettingsSchema.parse(run.settings), pairs: pairs.slice(0, most) };
}

async function describe(
  dataSource: DataSource,
  pairs: readonly PairRow[],
  repliesTo: (index: number) => Comparison['replies'],
): Promise<Comparison[]> {
  const cases = await readAnchorCases(dataSource, { ids: pairs.map(({ anchorId }) => anchorId) });
  const byId = new Map(cases.map((anchor) => [anchor.id, anchor]));
  return pairs.flatMap(({ anchorId }, index) => {
    const anchor = byId.get(anchorId);
    if (!anchor) return [];
    const request = anchor.prompt.at(-1)?.content ?? '';
    return [
      { anchorId, request, rejected: anchor.rejected, feedback: anchor.feedback ?? '', replies: repliesTo(index) },
    ];
  });
}

export function renderComparison({ anchorId, request, rejected, feedback, replies }: Comparison): string {
  const texts = [
    ['request', request],
    ['rejected', rejected],
    ['feedback', feedback],
  ] as [string, string][];
  const all = [...texts, ...replies.map(({ version, reply }): [string, string] => [version, reply])];
  const width = Math.max(...all.map(([name]) => name.length));
  const indent = '\n'.padEnd(width + 5);
  return [
    `anchor ${anchorId}`,
    ...all.map(([name, text]) => `  ${name.padEnd(width)}  ${harmless(text).trim().replaceAll('\n', indent)}`),
    '',
  ].join('\n');
}
