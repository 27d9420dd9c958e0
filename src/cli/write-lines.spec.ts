import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { writeLines } from './write-lines.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftloop-lines-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
});

async function* two() {
  yield 'a\n';
  yield 'b\n';
}

async function* broken() {
  yield 'a\n';
  throw new Error('no more');
}

test('replaces a file by the whole new one, or leaves it as it was', async () => {
  const file = join(dir, 'lines');
  writeFileSync(file, 'old');
  await expect(writeLines(broken(), file)).rejects.toThrow('no more');
  expect([readFileSync(file, 'utf8'), readdirSync(dir)]).toEqual(['old', ['lines']]);
  expect(await writeLines(two(), file)).toBe(2);
  expect([readFileSync(file, 'utf8'), readdirSync(dir)]).toEqual(['a\nb\n', ['lines']]);
});

test('writes through a link, and into a pipe, which both stay what they are', async () => {
  const [file, link, pipe] = ['file', 'link', 'pipe'].map((name) => join(dir, name)) as [string, string, string];
  writeFileSync(file, '');
  symlinkSync(file, link);
  await writeLines(two(), link);
  expect([readFileSync(file, 'utf8'), lstatSync(link).isSymbolicLink()]).toEqual(['a\nb\n', true]);
  execFileSync('mkfifo', [pipe]);
  const [, read] = await Promise.all([
    writeLines(two(), pipe),
    import('node:fs/promises').then((fs) => fs.readFile(pipe, 'utf8')),
  ]);
  expect([read, lstatSync(pipe).isFIFO()]).toEqual(['a\nb\n', true]);
});

test('says that a file cannot be written before any line is made', async () => {
  let asked = false;
  async function* lines() {
    asked = true;
    yield 'a\n';
  }
  for (const file of [join(dir, 'none', 'file'), dir]) {
    await expect(writeLines(lines(), file)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(file),
    });
  }
  expect(asked).toBe(false);
});
