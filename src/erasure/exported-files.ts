import { createReadStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { DataSource } from 'typeorm';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import { tombstoneOf } from './tombstones.js';

/** Remembers a file of anchors or labels, by its absolute path. */
export async function rememberExport(dataSource: DataSource, path: string): Promise<void> {
  await dataSource.query('INSERT INTO exports (path) VALUES ($1) ON CONFLICT (path) DO UPDATE SET written_at = now()', [
    path,
  ]);
}

export interface ExportedFiles {
  /** Files of which lines were taken out. */
  cleaned: string[];
  /** Files that are not there, or no longer under that name: whoever moved them has to see to them. */
  missing: string[];
}

/** Takes the lines of erased anchors and conversations out of the files that were exported on this machine. */
export async function cleanExports(dataSource: DataSource, pseudonyms: Pseudonyms): Promise<ExportedFiles> {
  const rows = await dataSource.query<{ path: string }[]>('SELECT path FROM exports ORDER BY path');
  const erased = await dataSource.query<{ name: string }[]>(
    `SELECT id::text AS name FROM anchors WHERE state = 'erased' UNION ALL SELECT id_hash FROM erased_conversations`,
  );
  const names = new Set(erased.map(({ name }) => name));
  const isErased = (line: string) => namesOf(line, pseudonyms).some((name) => names.has(name));
  const files: ExportedFiles = { cleaned: [], missing: [] };
  for (const { path } of rows) {
    if (!existsSync(path)) files.missing.push(path);
    else if (await cleanFile(path, isErased)) files.cleaned.push(path);
  }
  return files;
}

/** Whether lines were taken out. The file is replaced whole. */
async function cleanFile(path: string, isErased: (line: string) => boolean): Promise<boolean> {
  const temporary = `${path}.${process.pid}.partial`;
  const handle = await open(temporary, 'w', 0o600);
  let removed = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      if (isErased(line)) removed++;
      else await handle.write(`${line}\n`);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (removed > 0) await rename(temporary, path);
  else await rm(temporary);
  return removed > 0;
}

/** An anchor has its id, a label its conversation. */
function namesOf(line: string, pseudonyms: Pseudonyms): string[] {
  try {
    const { id, conversation } = JSON.parse(line) as { id?: unknown; conversation?: unknown };
    return [String(id), ...(typeof conversation === 'string' ? [tombstoneOf(pseudonyms, conversation)] : [])];
  } catch {
    return [];
  }
}
