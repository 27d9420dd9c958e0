import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const root = resolve('.');
let project: string;

/** A project of its own that depends on the built package, and on kafkajs. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'producer-package-'));
  await mkdir(join(project, 'node_modules'));
  await symlink(root, join(project, 'node_modules', 'driftloop'));
  await symlink(join(root, 'node_modules', 'kafkajs'), join(project, 'node_modules', 'kafkajs'));
  await cp('test/package/consumer.ts.txt', join(project, 'consumer.ts'));
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', type: 'module' }));
});
afterAll(() => rm(project, { recursive: true }));

const compile = (file: string, ...options: string[]) =>
  run(
    process.execPath,
    [
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      ...['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'],
      ...['--typeRoots', join(root, 'node_modules', '@types')],
      ...options,
      file,
    ],
    { cwd: project },
  );

it('is usable from outside: its types compile, also by themselves, and what they describe runs', async () => {
  await compile('consumer.ts', '--skipLibCheck', 'false');
  const { stdout } = await run(process.execPath, ['consumer.js'], { cwd: project });
  expect(JSON.parse(stdout)).toEqual({
    sent: ['c-1 application/vnd.driftloop.turn.v1+json 0', 'c-1 application/vnd.driftloop.turn.v1+json 1'],
    code: 'record-invalid',
  });
}, 120_000);

it('refuses a wrong event when it is compiled', async () => {
  await writeFile(
    join(project, 'wrong.ts'),
    `import { eventRecord } from 'driftloop/producer';
     eventRecord({ schema: 'driftloop.turn.v1', conversationId: 'c', turn: 0, role: 'nobody', content: '', occurredAt: '' });`,
  );
  await expect(compile('wrong.ts')).rejects.toMatchObject({ stdout: expect.stringMatching(/TS2322.*"nobody"/) });
}, 120_000);
