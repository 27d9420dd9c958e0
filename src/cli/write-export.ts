import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DataSource } from 'typeorm';
import { cleanExport, rememberExport, whileExporting } from '../erasure/exported-files.js';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import { writeLines } from './write-lines.js';

/**
 * Writes lines of anchors or labels to a file that erasures clean from then on. What is erased after it was read, and
 * before the file is there, is taken out at the end. Resolves to the number of lines in the file.
 * @param pseudonyms needed for labels
 */
export async function writeExport(
  dataSource: DataSource,
  lines: AsyncIterable<string>,
  file: string,
  pseudonyms?: Pseudonyms,
): Promise<number> {
  const path = await realpath(file).catch(() => resolve(file));
  const found = await stat(path).catch(() => undefined);
  // A pipe keeps nothing that could be cleaned.
  if (found && !found.isFile()) return writeLines(lines, path);
  await rememberExport(dataSource, path);
  const written = await whileExporting(dataSource, () => writeLines(lines, path));
  return written - (await cleanExport(dataSource, path, pseudonyms));
}
