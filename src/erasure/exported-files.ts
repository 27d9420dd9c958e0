import { createReadStream } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { DataSource } from 'typeorm';
import { partialsOf } from '../partial-file.js';
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
  /** Files that are there and could not be cleaned. */
  failed: { path: string; message: string }[];
}

/**
 * Takes the lines of erased anchors and conversations out of the files that were exported on this machine. What a process
 * that was killed had written of such a file goes whole.
 */
export function cleanExports(dataSource: DataSource, pseudonyms: Pseudonyms): Promise<ExportedFiles> {
  return cleaningAlone(dataSource, async () => {
    const rows = await dataSource.query<{ path: string }[]>('SELECT path FROM exports ORDER BY path');
    const files: ExportedFiles = { cleaned: [], missing: [], failed: [] };
    if (rows.length === 0) return files;
    const isErased = await erasedLines(dataSource, pseudonyms);
    for (const { path } of rows) {
      try {
        if ((await cleanFile(path, isErased)) > 0) files.cleaned.push(path);
      } catch (error) {
        if (isMissing(error)) files.missing.push(path);
        else files.failed.push({ path, message: (error as Error).message });
      }
    }
    await removeAbandoned(
      dataSource,
      rows.map(({ path }) => path),
    );
    return files;
  });
}

/** Whoever writes an export holds it shared, as long as its process lives. */
const EXPORT_LOCK = 7_431_013;

/** Writes an export so that nobody takes what is begun of it for abandoned. It takes a connection; the commands have two. */
export function whileExporting<T>(dataSource: DataSource, write: () => Promise<T>): Promise<T> {
  return withLock(dataSource, 'pg_advisory_lock_shared', EXPORT_LOCK, write) as Promise<T>;
}

/** What processes that were killed had begun of the files; nothing where anybody exports now, wherever that is. */
async function removeAbandoned(dataSource: DataSource, paths: string[]): Promise<void> {
  await withLock(dataSource, 'pg_try_advisory_lock', EXPORT_LOCK, async () => {
    const begun = await Promise.all(paths.map((path) => partialsOf(path).catch(() => [])));
    for (const partial of begun.flat()) await rm(partial).catch(() => {});
  });
}

/**
 * The same for one file; resolves to the number of lines that were taken out.
 * @param pseudonyms needed for labels: they have no id
 */
export function cleanExport(dataSource: DataSource, path: string, pseudonyms?: Pseudonyms): Promise<number> {
  return cleaningAlone(dataSource, async () => cleanFile(path, await erasedLines(dataSource, pseudonyms)));
}

const CLEANING_LOCK = 7_431_011;

/** Of two who clean a file at once, the one who knows of fewer erasures could put erased lines back. */
function cleaningAlone<T>(dataSource: DataSource, clean: () => Promise<T>): Promise<T> {
  return withLock(dataSource, 'pg_advisory_lock', CLEANING_LOCK, clean) as Promise<T>;
}

type Take = 'pg_advisory_lock' | 'pg_advisory_lock_shared' | 'pg_try_advisory_lock';

/** Undefined where the lock was only tried, and another one holds it. */
async function withLock<T>(
  dataSource: DataSource,
  take: Take,
  lock: number,
  use: () => Promise<T>,
): Promise<T | undefined> {
  const runner = dataSource.createQueryRunner();
  try {
    const [row] = await runner.manager.query<[{ taken: boolean | '' }]>(`SELECT ${take}($1) AS taken`, [lock]);
    if (row.taken === false) return undefined;
    try {
      return await use();
    } finally {
      const free = take === 'pg_advisory_lock_shared' ? 'pg_advisory_unlock_shared' : 'pg_advisory_unlock';
      await runner.manager.query(`SELECT ${free}($1)`, [lock]);
    }
  } finally {
    await runner.release();
  }
}

type LineTest = (line: string) => boolean;

async function erasedLines(dataSource: DataSource, pseudonyms?: Pseudonyms): Promise<LineTest> {
  const erased = await dataSource.query<{ name: string }[]>(
    `SELECT id::text AS name FROM anchors WHERE state = 'erased' UNION ALL SELECT id_hash FROM erased_conversations`,
  );
  const names = new Set(erased.map(({ name }) => name));
  return (line) => namesOf(line, pseudonyms).some((name) => names.has(name));
}

/**
 * Resolves to the number of lines that were taken out. The file is replaced whole, with its mode, and by the same owner
 * where the account may do that. A pipe or a device keeps nothing.
 */
async function cleanFile(path: string, isErased: LineTest): Promise<number> {
  const file = await realpath(path).catch(() => path);
  const found = await stat(file);
  if (!found.isFile() || !(await hasErased(file, isErased))) return 0;
  const cleaned = `${file}.cleaning`;
  await rm(cleaned, { force: true });
  const handle = await open(cleaned, 'wx', 0o600);
  try {
    const removed = await copyKept(file, handle, isErased);
    await handle.chown(found.uid, found.gid).catch(() => {});
    await handle.chmod(found.mode);
    await handle.sync();
    await rename(cleaned, file);
    return removed;
  } catch (error) {
    await rm(cleaned, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function hasErased(file: string, isErased: LineTest): Promise<boolean> {
  for await (const line of linesOf(file)) if (isErased(line)) return true;
  return false;
}

async function copyKept(file: string, handle: FileHandle, isErased: LineTest): Promise<number> {
  let removed = 0;
  for await (const line of linesOf(file)) {
    if (isErased(line)) removed++;
    else await handle.write(`${line}\n`);
  }
  return removed;
}

const linesOf = (file: string) =>
  createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });

/** An anchor has its id, a label its conversation. */
function namesOf(line: string, pseudonyms?: Pseudonyms): string[] {
  try {
    const { id, conversation } = JSON.parse(line) as { id?: unknown; conversation?: unknown };
    const isLabel = pseudonyms && typeof conversation === 'string';
    return isLabel ? [tombstoneOf(pseudonyms, conversation)] : [String(id)];
  } catch {
    return [];
  }
}

const isMissing = (error: unknown) => /^(ENOENT|ENOTDIR)$/.test(String((error as NodeJS.ErrnoException).code));
