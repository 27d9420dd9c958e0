import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { exportLines } from '../../src/anchor/anchor-export.js';
import { writeExport } from '../../src/cli/write-export.js';
import { createDataSource } from '../../src/database/data-source.js';
import { type Erasure, eraseSubject } from '../../src/erasure/erase-subject.js';
import { cleanExports, rememberExport } from '../../src/erasure/exported-files.js';
import { partialOf } from '../../src/partial-file.js';
import { complaint, conversation } from '../factories/turns.js';
import { IngestHarness } from './ingest-harness.js';

let harness: IngestHarness;
let marker: string;
let directory: string;
beforeEach(async () => {
  harness = await IngestHarness.create();
  marker = `zq${randomBytes(6).toString('hex')}`;
  directory = mkdtempSync(join(tmpdir(), 'driftloop-export-'));
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await harness.close();
});

const said = (id: string, userId?: string) => complaint(id, marker, userId);
const erasing = (given: Omit<Erasure, 'at'>): Erasure => ({ ...given, at: new Date() });

describe('a file that was exported', () => {
  /** A remembered file with a line for each anchor, and a function that tells the conversations in it. */
  async function exported(name = 'anchors.jsonl') {
    const anchors = await harness.rows('anchors');
    const file = join(directory, name);
    writeFileSync(file, anchors.map(({ id }) => `${JSON.stringify({ id, prompt: marker })}\n`).join(''));
    await rememberExport(harness.dataSource, file);
    const conversationOf = new Map(anchors.map(({ id, conversation_id }) => [id, conversation_id]));
    const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return { file, conversations: () => lines().map((line) => conversationOf.get(JSON.parse(line).id)) };
  }
  const erase = (id: string) =>
    eraseSubject(harness.dataSource, harness.pseudonyms, erasing({ subject: 'conversation', id }));
  const clean = () => cleanExports(harness.dataSource, harness.pseudonyms);

  beforeEach(async () => {
    await harness.startConsumer();
    await harness.ingest([...said('gone'), ...conversation('kept', ['List.', 'Milk.', 'BAD'])]);
  });

  it('has no erased anchors after it is cleaned, and is named where it is gone', async () => {
    const { file, conversations } = await exported();
    chmodSync(file, 0o640);
    await rememberExport(harness.dataSource, `${file}.moved`);
    await erase('gone');
    expect(await clean()).toEqual({ cleaned: [file], missing: [`${file}.moved`], failed: [] });
    expect(conversations()).toEqual(['kept']);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect((await clean()).cleaned).toEqual([]);
  });

  it('is cleaned by a service that starts where one was killed between an erasure and the cleaning', async () => {
    const { file, conversations } = await exported();
    writeFileSync(partialOf(file), marker);
    await harness.stopAll();
    await erase('gone');
    await harness.startConsumer();
    await vi.waitFor(() => expect(conversations()).toEqual(['kept']), 10_000);
    await vi.waitFor(() => expect(readdirSync(directory)).toEqual(['anchors.jsonl']), 10_000);
  });

  it('is cleaned by the service where an event erases, and where a late turn shows whose a conversation is', async () => {
    const { conversations } = await exported();
    await harness.produce([{ key: 'gone', value: '{"schema": "driftloop.erase.v1", "conversationId": "gone"}' }]);
    await harness.stored();
    await vi.waitFor(() => expect(conversations()).toEqual(['kept']), 10_000);
    await eraseSubject(
      harness.dataSource,
      harness.pseudonyms,
      erasing({ subject: 'user', id: harness.pseudonyms.userId('alice') }),
    );
    await harness.ingest([{ ...said('kept', 'alice')[0]!, turn: 3 }]);
    await vi.waitFor(() => expect(conversations()).toEqual([]), 10_000);
  });

  it('is named by the service where it cannot be cleaned, which goes on and does it with the next erasure', async () => {
    const { file, conversations } = await exported();
    const warn = vi.spyOn(Logger.prototype, 'warn');
    const said = () => warn.mock.calls.map(([text]) => String(text));
    mkdirSync(`${file}.cleaning`);
    const event = { key: 'gone', value: '{"schema": "driftloop.erase.v1", "conversationId": "gone"}' };
    await harness.produce([event]);
    await vi.waitFor(() => expect(said()).toContainEqual(expect.stringContaining(`${file} was exported`)), 10_000);
    await harness.ingest(conversation('next', ['List.']));
    expect(conversations()).toEqual(['gone', 'kept']);
    rmdirSync(`${file}.cleaning`);
    await harness.produce([event]);
    await vi.waitFor(() => expect(conversations()).toEqual(['kept']), 10_000);
  });

  it('has nothing of what is erased while it is written', async () => {
    const file = join(directory, 'export.jsonl');
    async function* whileErasing(lines: AsyncIterable<string>) {
      yield* lines;
      await erase('gone');
      await clean();
      expect(readdirSync(directory)).toContainEqual(expect.stringMatching(/^export\.jsonl\..*partial$/));
    }
    // As many connections as a command has.
    const dataSource = await createDataSource(harness.config.databaseUrl, 2).initialize();
    onTestFinished(() => dataSource.destroy());
    const labels = ['gone', 'kept'].map((conversation) => `${JSON.stringify({ conversation, turn: 2 })}\n`);
    expect(await writeExport(dataSource, whileErasing(exportLines(dataSource, {})), file)).toBe(1);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ conversationId: 'kept' });
    expect(await writeExport(dataSource, whileErasing(Readable.from(labels)), file, harness.pseudonyms)).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(labels[1]);
  });

  it('keeps no others from being cleaned where it cannot be', async () => {
    const [stuck, other] = [await exported('a.jsonl'), await exported('b.jsonl')];
    mkdirSync(`${stuck.file}.cleaning`);
    await erase('gone');
    const failed = [{ path: stuck.file, message: expect.stringContaining('.cleaning') }];
    expect(await clean()).toEqual({ cleaned: [other.file], missing: [], failed });
    expect(other.conversations()).toEqual(['kept']);
  });
});
