import { decompress as unzstd } from 'fzstd';
import kafkajs from 'kafkajs';
import { decompressFrame } from 'lz4-napi';
import { uncompress } from 'snappy';

/** What Kafka's Java client puts before blocks of snappy: a magic number, a version, and the least version that reads it. */
const XERIAL = Buffer.from('\x82SNAPPY\0', 'latin1');
const XERIAL_HEADER = XERIAL.length + 8;

/** One block, or the blocks of the Java client, each after its length. */
async function unsnap(bytes: Buffer): Promise<Buffer> {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return uncompress(bytes, { asBuffer: true }) as Promise<Buffer>;
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at);
    blocks.push((await uncompress(bytes.subarray(at + 4, end), { asBuffer: true })) as Buffer);
    at = end;
  }
  return Buffer.concat(blocks);
}

const { CompressionCodecs, CompressionTypes } = kafkajs;

/** The codecs of the protocol that kafkajs lacks, to read what others send: this project sends nothing compressed. */
export function registerCodecs(): void {
  register(CompressionTypes.Snappy, unsnap);
  register(CompressionTypes.LZ4, decompressFrame);
  register(CompressionTypes.ZSTD, async (bytes) => Buffer.from(unzstd(bytes)));
}

function register(type: keyof typeof CompressionCodecs, decompress: (bytes: Buffer) => Promise<Buffer>): void {
  const compress = () => Promise.reject(new Error('This codec is only read.'));
  CompressionCodecs[type] = () => ({ compress, decompress });
}
