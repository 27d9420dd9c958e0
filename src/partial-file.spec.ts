import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { partialOf, partialsOf } from './partial-file.js';

it('finds what was begun of a file, and nothing else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'driftloop-partial-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'anchors.jsonl');
  const begun = [partialOf(file), partialOf(file)];
  for (const path of [file, ...begun, `${file}.partial`, `${file}.mine.partial`, `${begun[0]}.bak`]) {
    writeFileSync(path, '');
  }
  expect((await partialsOf(file)).sort()).toEqual(begun.sort());
});
