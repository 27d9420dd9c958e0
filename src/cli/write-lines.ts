import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { DriftError } from '../drift-error.js';
import { partialOf } from '../partial-file.js';

/**
 * Writes to stdout, or to a file that appears under its name when it is whole; what is no regular file (a pipe, a
 * device) is written to directly. The file is opened before the first line is asked for. Resolves to the number of lines.
 * @throws DriftError `usage` where the file cannot be written
 */
export async function writeLines(lines: AsyncIterable<string>, file?: string): Promise<number> {
  if (file === undefined) return writeTo(process.stdout, lines);
  const target = await realpath(file).catch(() => file);
  const found = await stat(target).catch(() => undefined);
  if (found === undefined || found.isFile()) return writeFile(lines, target);
  const handle = await openFor(target, target, 'w');
  try {
    return await writeAll(lines, handle);
  } finally {
    await handle.close();
  }
}

async function writeFile(lines: AsyncIterable<string>, file: string): Promise<number> {
  const partial = partialOf(file);
  const handle = await openFor(file, partial, 'wx');
  try {
    const count = await writeAll(lines, handle);
    await handle.sync();
    await rename(partial, file);
    return count;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function openFor(file: string, path: string, flags: string): Promise<FileHandle> {
  return open(path, flags).catch((cause: Error) => {
    throw cannotWrite(file, cause);
  });
}

export function cannotWrite(file: string, cause: unknown): DriftError {
  return new DriftError('usage', `${file} cannot be written: ${(cause as Error).message}.`, { cause });
}

async function writeAll(lines: AsyncIterable<string>, handle: FileHandle): Promise<number> {
  let count = 0;
  for await (const line of lines) {
    await handle.write(line);
    count++;
  }
  return count;
}

async function writeTo(stream: NodeJS.WritableStream, lines: AsyncIterable<string>): Promise<number> {
  let count = 0;
  for await (const line of lines) {
    if (!stream.write(line)) await new Promise((resolve) => stream.once('drain', resolve));
    count++;
  }
  return count;
}
