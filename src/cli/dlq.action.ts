import { dropLetters } from '../chat-log/dead-letter-drop.js';
import {
  countLetters,
  type Letter,
  type LetterFilter,
  type LetterSummary,
  listLetters,
  readLetters,
  type StoredBytes,
} from '../chat-log/dead-letter-read.js';
import { type ReplayOutcome, replayLetters } from '../chat-log/dead-letter-replay.js';
import { emptyLetterTopic } from '../chat-log/empty-letter-topic.js';
import { DriftError } from '../drift-error.js';
import { harmless } from '../harmless.js';
import { withProducer } from '../kafka/kafka-client.js';
import { EXIT } from './program.js';
import { fields, minute, printJson, table } from './terminal.js';
import { withData } from './with-data.js';

export type ListOptions = Pick<LetterFilter, 'reason' | 'state' | 'limit'> & { json?: boolean };
export type ShowOptions = { json?: boolean };
export type ReplayOptions = Pick<LetterFilter, 'reason'> & { all?: boolean; json?: boolean };
export type EmptyOptions = { yes?: boolean; json?: boolean };
export type DropOptions = Pick<LetterFilter, 'reason' | 'state'> & { all?: boolean; yes?: boolean; json?: boolean };

export async function list({ json, ...filter }: ListOptions): Promise<void> {
  const { letters, counts } = await withData(async (dataSource) => ({
    letters: await listLetters(dataSource, filter),
    counts: await countLetters(dataSource, filter),
  }));
  if (json) return printJson(letters);
  if (letters.length === 0) return console.error('no dead letters');
  console.log(table(['record', 'item', 'received (UTC)', 'state', 'reason', 'detail'], letters.map(row)));
  console.error(counts.map(({ reason, count }) => `${count} ${reason}`).join(', '));
}

function row({ record, item, receivedAt, replayedAt, reason, detail }: LetterSummary): string[] {
  return [record, String(item), minute(receivedAt), replayedAt ? 'replayed' : 'waiting', reason, detail];
}

export async function show(record: string, { json }: ShowOptions): Promise<void> {
  const letters = await withData((dataSource) => readLetters(dataSource, record));
  if (json) return printJson(letters);
  for (const letter of letters) console.log(`${facts(letter)}\n`);
  console.log(harmless(text(letters[0]!.payload)));
}

function facts({ record, key, headers, ...letter }: Letter): string {
  const shown = Object.entries(headers).map(([name, values]) => `${name}: ${values.map(text).join(', ')}`);
  return fields({
    record,
    turn: letter.item,
    reason: letter.reason,
    detail: letter.detail,
    received: `${minute(letter.receivedAt)} UTC`,
    replayed: letter.replayedAt && `${minute(letter.replayedAt)} UTC`,
    bytes: letter.bytes,
    kept: letter.whole ? 'whole' : 'in part: it cannot be replayed',
    sha256: letter.sha256,
    key: key && text(key),
    headers: shown.join('\n         ') || null,
  });
}

const text = (bytes: StoredBytes) => (typeof bytes === 'string' ? bytes : `base64 ${bytes.base64}`);

export async function replay(records: string[], options: ReplayOptions): Promise<void> {
  const filter = chosen(records, options);
  const outcome = await withData(
    async (dataSource, _, stack) => withProducer(stack, (producer) => replayLetters(dataSource, producer, filter)),
    ['postgres', 'kafka'],
  );
  process.exitCode = exitCodeOf(outcome);
  const { replayed, notWhole } = outcome;
  if (options.json) {
    const left = notWhole.map(({ record, item, bytes }) => ({ record, item, bytes }));
    return console.log(JSON.stringify({ replayed, notWhole: left }));
  }
  for (const { record, bytes } of notWhole) {
    console.error(
      `${record} is kept in part only (its value has ${bytes} bytes): produce it again where it came from.`,
    );
  }
  console.log(`${replayed.length} records replayed`);
}

function exitCodeOf({ replayed, notWhole }: ReplayOutcome): number {
  if (notWhole.length > 0) return EXIT.failed;
  return replayed.length > 0 ? EXIT.done : EXIT.nothingToDo;
}

export async function drop(records: string[], { yes, json, ...options }: DropOptions): Promise<void> {
  const filter = chosen(records, options);
  const count = await withData(async (dataSource) => {
    if (yes) return dropLetters(dataSource, filter);
    return (await countLetters(dataSource, filter)).reduce((sum, { count }) => sum + count, 0);
  });
  if (count === 0) process.exitCode = EXIT.nothingToDo;
  else if (!yes) process.exitCode = EXIT.usage;
  const dropped = yes ? count : 0;
  if (json) console.log(JSON.stringify({ matched: count, dropped }));
  else if (yes) console.log(`${dropped} dead letters deleted`);
  else console.error(`${count} dead letters would be deleted for good: pass --yes to do it.`);
}

export async function emptyTopic({ yes, json }: EmptyOptions): Promise<void> {
  if (!yes) throw new DriftError('usage', 'What is on the topic goes for all who read it: pass --yes to do it.');
  const removed = await withData(
    (_, { topics }, stack) => emptyLetterTopic(stack, topics.deadLetters),
    ['postgres', 'kafka'],
  );
  if (removed === 0) process.exitCode = EXIT.nothingToDo;
  console.log(json ? JSON.stringify({ removed }) : `${removed} records taken off the topic`);
}

/** @throws DriftError `usage` where nothing was chosen: it would be all of them */
function chosen(records: string[], { all, ...filter }: Pick<LetterFilter, 'reason' | 'state'> & { all?: boolean }) {
  if (records.length === 0 && !all && !filter.reason && !filter.state) {
    throw new DriftError('usage', 'Say which: records, --reason, or --all.');
  }
  return { ...filter, records: records.length > 0 ? records : undefined };
}
