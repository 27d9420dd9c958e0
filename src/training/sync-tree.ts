import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes a directory's files and names survive a power cut. */
export async function syncTree(dir: string, { recursive = true }: { recursive?: boolean } = {}): Promise<void> {
  for (const entry of recursive ? await readdir(dir, { withFileTypes: true }) : []) {
    const path = join(dir, entry.name);
    await (entry.isDirectory() ? syncTree(path) : sync(path));
  }
  await sync(dir);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
