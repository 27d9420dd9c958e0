import { createReadStream, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER_BYTES = 30;
/** The record of 22 bytes and the longest comment after it. */
const TAIL_BYTES = 22 + 0xffff;

/** @typedef {{ name: string, method: number, compressedBytes: number, bytes: number, offset: number }} ZipEntry */

/**
 * Takes files out of a zip archive (a wheel is one). No ZIP64: nothing here is over 4 GB.
 * @param {string} path
 * @param {(name: string) => string | undefined} destination where a file goes; undefined leaves it
 * @returns {Promise<number>} how many files were written
 */
export async function extractZip(path, destination) {
  const file = await open(path);
  try {
    let written = 0;
    for (const entry of await readDirectory(file)) {
      const target = entry.name.endsWith('/') ? undefined : destination(entry.name);
      if (target === undefined) continue;
      await extractEntry(path, entry, await dataStart(file, entry), target);
      written += 1;
    }
    return written;
  } finally {
    await file.close();
  }
}

/**
 * @param {import('node:fs/promises').FileHandle} file
 * @returns {Promise<ZipEntry[]>}
 */
async function readDirectory(file) {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
  const end = lastIndexOfUInt32(tail, END_OF_DIRECTORY);
  if (end === -1) throw new Error('not a zip archive: it has no end-of-directory record');
  const directory = await readAt(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  const entries = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === DIRECTORY_ENTRY; ) {
    const nameBytes = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      method: directory.readUInt16LE(at + 10),
      compressedBytes: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * Where an entry's bytes begin: after its local header, whose name and extra field may be longer than the directory says.
 * @param {import('node:fs/promises').FileHandle} file
 * @param {ZipEntry} entry
 */
async function dataStart(file, entry) {
  const header = await readAt(file, entry.offset, LOCAL_HEADER_BYTES);
  return entry.offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
}

/**
 * @param {string} path
 * @param {ZipEntry} entry
 * @param {number} start
 * @param {string} target
 */
async function extractEntry(path, entry, start, target) {
  mkdirSync(dirname(target), { recursive: true });
  if (entry.compressedBytes === 0) return writeFileSync(target, '');
  const input = createReadStream(path, { start, end: start + entry.compressedBytes - 1 });
  const output = createWriteStream(target);
  await pipeline(input, entry.method === 0 ? new PassThrough() : createInflateRaw(), output);
  if (output.bytesWritten !== entry.bytes) throw new Error(`${entry.name} is cut off in the archive`);
}

/**
 * @param {import('node:fs/promises').FileHandle} file
 * @param {number} position
 * @param {number} length
 */
async function readAt(file, position, length) {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/**
 * @param {Buffer} buffer
 * @param {number} value
 */
function lastIndexOfUInt32(buffer, value) {
  for (let at = buffer.length - 4; at >= 0; at--) if (buffer.readUInt32LE(at) === value) return at;
  return -1;
}
