import { open, rename, rm } from 'node:fs/promises';

/** Writes to stdout, or to a file that appears under its name when it is whole. Resolves to the number of lines. */
export async function writeLines(lines: AsyncIterable<string>, file?: string): Promise<number> {
  return file === undefined ? writeTo(process.stdout, lines) : writeFile(lines, file);
}

async function writeFile(lines: AsyncIterable<string>, file: string): Promise<number> {
  const partial = `${file}.${process.pid}.partial`;
  const handle = await open(partial, 'wx');
  try {
    let count = 0;
    for await (const line of lines) {
      await handle.write(line);
      count++;
    }
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

async function writeTo(stream: NodeJS.WritableStream, lines: AsyncIterable<string>): Promise<number> {
  let count = 0;
  for await (const line of lines) {
    if (!stream.write(line)) await new Promise((resolve) => stream.once('drain', resolve));
    count++;
  }
  return count;
}
