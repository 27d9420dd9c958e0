import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncTree } from './sync-tree.js';

/** The files of a run until it has published: a checkpoint after each training stage. */
export class RunFiles {
  private readonly dir: string;

  constructor(stateDir: string, runId: string) {
    this.dir = join(stateDir, 'runs', runId);
  }

  /** Weights (or adapter) after an iteration; 0 is the warm start. */
  checkpoint(iteration: number): string {
    return join(this.dir, iteration === 0 ? 'warm-start' : `iteration-${iteration}`);
  }

  hasCheckpoint(iteration: number): boolean {
    return existsSync(this.checkpoint(iteration));
  }

  /** A checkpoint appears whole or not at all. */
  async saveCheckpoint(iteration: number, save: (dir: string) => Promise<void>): Promise<void> {
    const dir = this.checkpoint(iteration);
    const temporary = `${dir}.tmp`;
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    await save(temporary);
    await syncTree(temporary);
    await rm(dir, { recursive: true, force: true });
    await rename(temporary, dir);
    await syncTree(dirname(dir), { recursive: false });
  }

  async removeCheckpoint(iteration: number): Promise<void> {
    await rm(this.checkpoint(iteration), { recursive: true, force: true });
  }

  async removeAll(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Removes what runs that have ended left behind when they were killed at the very end. */
export async function removeOtherRuns(stateDir: string, runId: string): Promise<void> {
  const dir = join(stateDir, 'runs');
  const names = existsSync(dir) ? await readdir(dir) : [];
  for (const name of names.filter((other) => other !== runId))
    await rm(join(dir, name), { recursive: true, force: true });
}
