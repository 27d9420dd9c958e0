import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DriftError } from '../drift-error.js';
import { loadConfig } from './config.js';

const url = { DRIFTLOOP_JUDGE_URL: 'https://api.example.com/v1/' };
const judge = { ...url, DRIFTLOOP_JUDGE_MODEL: 'small' };

function problems(env: Record<string, string>): unknown {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    return (error as DriftError).facts.problems;
  }
}

it('has no judge unless API and model are configured, and both', () => {
  expect(loadConfig({}).judge).toBeUndefined();
  expect(loadConfig(judge).judge).toMatchObject({ url: 'https://api.example.com/v1', model: 'small', batch: 4 });
  expect(problems(url)).toEqual(['DRIFTLOOP_JUDGE_MODEL: is needed with DRIFTLOOP_JUDGE_URL']);
  expect(problems({ DRIFTLOOP_JUDGE_MODEL: 'small' })).toEqual([
    'DRIFTLOOP_JUDGE_URL: is needed with DRIFTLOOP_JUDGE_MODEL',
  ]);
});

it('takes its key from a file, too, and sends none unencrypted to another machine', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'driftloop-judge-')), 'key');
  writeFileSync(file, 'secret\n');
  expect(loadConfig({ ...judge, DRIFTLOOP_JUDGE_API_KEY_FILE: file }).judge?.apiKey).toBe('secret');
  const http = { ...judge, DRIFTLOOP_JUDGE_URL: 'http://vllm:8000/v1' };
  expect(problems(http)).toEqual([]);
  expect(problems({ ...http, DRIFTLOOP_JUDGE_API_KEY: 'secret' })).toEqual([
    expect.stringMatching(/^DRIFTLOOP_JUDGE_URL: must begin with https:/),
  ]);
  const here = { ...http, DRIFTLOOP_JUDGE_URL: 'http://localhost:8000/v1', DRIFTLOOP_JUDGE_API_KEY: 'secret' };
  expect(problems(here)).toEqual([]);
});

it('refuses what would never be asked', () => {
  for (const key of ['DAILY_TOKENS', 'TIMEOUT_MS', 'BATCH', 'CONCURRENCY'])
    expect(problems({ ...judge, [`DRIFTLOOP_JUDGE_${key}`]: '0' })).toHaveLength(1);
});
