import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { build } from './build.mjs';
import { Progress } from './progress.mjs';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const CONFIGS = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];
const progress = new Progress('test');
progress.end();

let root: string;
const buildIt = () => build(root, join(root, 'build.lock'), progress);
const isThere = (file: string) => existsSync(join(root, 'dist', 'src', file));
const run = () => readFileSync(join(root, 'dist', 'src', 'main.js'), 'utf8');

/** A small project with this one's settings. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'driftloop-build-'));
  for (const file of CONFIGS) cpSync(join(CHECKOUT, file), join(root, file));
  for (const dir of ['src', 'migrations', 'scripts/setup']) mkdirSync(join(root, dir), { recursive: true });
  symlinkSync(join(CHECKOUT, 'node_modules'), join(root, 'node_modules'));
  writeFileSync(join(root, 'src', 'main.ts'), 'export const version: number = 1;\n');
  writeFileSync(join(root, 'src', 'old.ts'), 'export {};\n');
});

afterAll(() => rmSync(root, { recursive: true }));

it('builds when sources changed, and only then', async () => {
  expect(await buildIt()).toBe('built');
  expect([isThere('main.js'), isThere('old.js')]).toEqual([true, true]);
  expect(await buildIt()).toBe('cached');
  writeFileSync(join(root, 'src', 'main.spec.ts'), 'no source of the service');
  expect(await buildIt()).toBe('cached');
});

it('leaves no output of a deleted source', async () => {
  rmSync(join(root, 'src', 'old.ts'));
  expect(await buildIt()).toBe('built');
  expect([isThere('main.js'), isThere('old.js')]).toEqual([true, false]);
});

it('keeps the last build when the sources have an error, and leaves nothing beside it', async () => {
  writeFileSync(join(root, 'src', 'main.ts'), `export const version: number = 'two';\n`);
  await expect(buildIt()).rejects.toThrow('TS2322');
  expect(run()).toContain('version = 1');
  expect(['dist.tmp', 'dist.old', 'tsconfig.setup.tmp.json'].filter((name) => existsSync(join(root, name)))).toEqual(
    [],
  );
});

it('builds again when something else was written into the output', async () => {
  writeFileSync(join(root, 'src', 'main.ts'), 'export const version: number = 3;\n');
  expect(await buildIt()).toBe('built');
  writeFileSync(join(root, 'dist', 'src', 'main.js'), 'stale');
  const later = new Date(Date.now() + 10_000);
  utimesSync(join(root, 'dist', 'src', 'main.js'), later, later);
  expect(await buildIt()).toBe('built');
  expect(run()).toContain('version = 3');
});
