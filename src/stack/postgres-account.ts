import { execFileSync, spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { DriftError } from '../drift-error.js';

/** Who the server runs as: PostgreSQL refuses to be root. Undefined means this user. */
export type Account = { uid: number; gid: number } | undefined;

/** A directory that survives restarts of the machine and that every user can reach. */
const REACHABLE = '/var/tmp';

/**
 * The directory of the embedded PostgreSQL and who runs it: `postgres` in the state directory. Root runs it as the
 * directory's owner, else as `postgres` or `nobody`; where that user cannot reach the state directory (a home with mode
 * 0700), the directory is elsewhere and `postgres` is a link to it.
 * @throws DriftError `stack-unavailable`
 */
export function postgresHome(stateDir: string): { home: string; account: Account } {
  const home = join(stateDir, 'postgres');
  if (!existsSync(home)) rmSync(home, { force: true }); // a link to what has been deleted
  if (process.getuid?.() !== 0) return { home: ownHome(home), account: undefined };
  const account = existsSync(home) ? ownerOf(home) : undefined;
  if (account) return { home: realpathSync(home), account };
  return newHomeFor(unprivileged(), home);
}

function ownHome(home: string): string {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (statSync(home).uid === process.getuid?.()) return realpathSync(home);
  const message = `${home} belongs to another user: run the command as that user, or set DRIFTLOOP_STATE_DIR to another directory.`;
  throw new DriftError('stack-unavailable', message, { facts: { home } });
}

function ownerOf(home: string): Account {
  const { uid, gid } = statSync(home);
  return uid === 0 ? undefined : { uid, gid };
}

function unprivileged(): NonNullable<Account> {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (kind: string) => Number(execFileSync('id', [kind, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // no such user
    }
  }
  throw new DriftError(
    'stack-unavailable',
    'PostgreSQL cannot run as root, and there is no user `postgres` or `nobody` to run it as: run the command as another user, or set DATABASE_URL.',
  );
}

function newHomeFor(account: NonNullable<Account>, home: string): { home: string; account: Account } {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  chownSync(home, account.uid, account.gid);
  if (mayUse(account, home, '-w')) return { home: realpathSync(home), account };
  rmdirSync(home);
  const elsewhere = mkdtempSync(join(REACHABLE, 'driftloop-postgres-'));
  chownSync(elsewhere, account.uid, account.gid);
  symlinkSync(elsewhere, home);
  return { home: elsewhere, account };
}

/** Whether the account may write (`-w`) or run (`-x`) the path, all directories above it included. */
export function mayUse(account: Account, path: string, access: '-w' | '-x'): boolean {
  return spawnSync('/bin/sh', ['-c', `test ${access} "$1"`, 'sh', path], { cwd: '/', ...account }).status === 0;
}

/** Deletes a state directory whose servers are stopped, with the database that may lie elsewhere. */
export function removeState(stateDir: string): void {
  const home = join(stateDir, 'postgres');
  const isLink = lstatSync(home, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  if (isLink && existsSync(home)) rmSync(realpathSync(home), { recursive: true, force: true });
  rmSync(stateDir, { recursive: true, force: true });
}
