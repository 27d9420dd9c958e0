import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Place } from './place.js';
import { cpuSeconds } from './usage.js';

const BARE_LOOP = fileURLToPath(new URL('bare-loop.ts', import.meta.url));

export interface BareRate {
  turnsPerSecond: number;
  seconds: number;
  cpuSecondsPer100k: number;
  databaseCpuSecondsPer100k: number;
}

/** Runs the bare loop in a process of its own over a topic that holds `turns` messages. */
export async function bareRate(place: Place, turns: number, files: string[], postgresPid: number): Promise<BareRate> {
  await place.dataSource.query(
    `INSERT INTO classifier_versions SELECT DISTINCT v, '{}'::jsonb FROM unnest($1::text[]) AS v`,
    [await classifiers(files)],
  );
  const before = cpuSeconds(postgresPid, true);
  const args = [place.databaseUrl, place.env.KAFKA_BROKERS!, place.topic, String(turns), ...files];
  const child = fork(BARE_LOOP, args);
  const [figures] = (await once(child, 'message')) as [Omit<BareRate, 'databaseCpuSecondsPer100k'>];
  const database = cpuSeconds(postgresPid, true) - before;
  child.send('end');
  await once(child, 'exit');
  return { ...figures, databaseCpuSecondsPer100k: (database / turns) * 100_000 };
}

async function classifiers(files: string[]): Promise<string[]> {
  const found = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).flatMap((text) => {
    const verdict = text.split('\n').map((line) => (JSON.parse(line) as { verdict?: unknown[] }).verdict);
    return verdict.flatMap((row) => (row ? [String(row[7])] : []));
  });
  return [...new Set(found)];
}
