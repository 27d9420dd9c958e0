import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { leftPartials, partialOf } from './partial-file.js';

it('finds what processes that are gone have left of a file, and nothing else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'driftloop-partial-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'anchors.jsonl');
  const { pid } = spawnSync(process.execPath, ['--version']);
  const left = `${file}.${pid}.partial`;
  for (const path of [file, left, partialOf(file), `${file}.partial`, `${file}.x${pid}.partial`, `${left}.bak`]) {
    writeFileSync(path, '');
  }
  expect(await leftPartials(file)).toEqual([left]);
});
