import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { postgresHome } from '../../src/stack/postgres-account.js';

const ROOMY = '4g';

/** A memory file system that holds a database, and can be made full. */
export class SmallDisk {
  private constructor(readonly directory: string) {}

  /** Undefined where this process may not mount one. */
  static mount(stateDir: string): SmallDisk | undefined {
    const mountPoint = join(stateDir, 'disk');
    mkdirSync(mountPoint, { recursive: true });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${ROOMY},mode=755`, 'tmpfs', mountPoint]).status !== 0) {
      return undefined;
    }
    const directory = join(mountPoint, 'tablespace');
    mkdirSync(directory, { mode: 0o700 });
    const { account } = postgresHome(stateDir);
    if (account) chownSync(directory, account.uid, account.gid);
    return new SmallDisk(directory);
  }

  /** Leaves `spareKb` of room. What is written meanwhile may take that: then there is a little more. */
  fill(spareKb: number): void {
    for (let attempt = 0; ; attempt++) {
      const { blocks, bfree, bsize } = statfsSync(this.directory);
      try {
        this.resize(`${Math.ceil(((blocks - bfree) * bsize) / 1024) + spareKb + attempt * 64}k`);
        return;
      } catch (error) {
        if (attempt === 50) throw error;
      }
    }
  }

  empty(): void {
    this.resize(ROOMY);
  }

  unmount(): void {
    spawnSync('umount', ['-l', join(this.directory, '..')]);
  }

  private resize(size: string): void {
    execFileSync('mount', ['-o', `remount,size=${size}`, join(this.directory, '..')], { stdio: 'pipe' });
  }
}

const INSIDE = 'DRIFTLOOP_FAULTS_NAMESPACE';

/**
 * The command that runs this process again where it may mount: in a user namespace with its own user. Undefined where it
 * is there already, or where the system gives none.
 */
export function inUserNamespace(): string[] | undefined {
  if (process.env[INSIDE] || process.getuid?.() === 0) return undefined;
  const unshare = ['unshare', '--map-current-user', '--keep-caps', '--mount'];
  const probe = spawnSync(unshare[0]!, [...unshare.slice(1), 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return probe.status === 0 ? ['env', `${INSIDE}=1`, ...unshare] : undefined;
}

export function mayMount(): boolean {
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
}
