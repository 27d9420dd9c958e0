import type { DataSource, EntityManager } from 'typeorm';
import { protectContents } from '../chat-log/protect.js';
import { makeTurn, type Turn } from '../chat-log/turn.js';
import { insertTurns } from '../chat-log/turn-rows.js';
import { holdOffErasures } from '../erasure/erase-conversations.js';
import { erasedAmong } from '../erasure/tombstones.js';
import type { Privacy } from '../privacy/privacy.js';
import { derivedId } from './derived-id.js';
import { atLine, type Preference, readPreferences } from './preference-file.js';

/** Rows of one statement. */
const BATCH = 500;

export interface ImportCounts {
  read: number;
  /** Anchors that are new. */
  imported: number;
  /** Anchors that were there already. */
  known: number;
  /** Lines that prefer nothing, reject an empty reply, or were erased. */
  skipped: { tied: number; empty: number; erased: number };
}

/**
 * Makes an anchor of the rejected reply of each line of a file of preference data, in one transaction: all of them or, at
 * the first bad line, none. Ids follow from prompt and rejected reply, so that a file imported again makes the same
 * anchors. Chosen replies are not kept: a run samples its own.
 * @param source name of the data
 * @throws DriftError `usage`, `record-invalid`
 */
export function importAnchors(
  { dataSource, privacy }: { dataSource: DataSource; privacy: Privacy },
  file: string,
  source: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<ImportCounts> {
  return dataSource.transaction(async (manager) => {
    const counts: ImportCounts = { read: 0, imported: 0, known: 0, skipped: { tied: 0, empty: 0, erased: 0 } };
    let batch: Turn[][] = [];
    const write = async () => {
      const kept = await withoutErased(manager, privacy, batch);
      const imported = await insertImported(manager, kept, source);
      counts.imported += imported;
      counts.known += kept.length - imported;
      counts.skipped.erased += batch.length - kept.length;
      batch = [];
    };
    for await (const preference of readPreferences(file)) {
      if (counts.read === limit) break;
      counts.read++;
      const turns = atLine(file, preference.line, () => turnsOf(preference, privacy));
      if (preference.tied) counts.skipped.tied++;
      else if (turns.at(-1)!.content.trim() === '') counts.skipped.empty++;
      else batch.push(turns);
      if (batch.length === BATCH) await write();
    }
    await write();
    return counts;
  });
}

/** The conversation up to the rejected reply, such as may be stored. */
function turnsOf({ prompt, rejected }: Preference, privacy: Privacy): Turn[] {
  const messages = [...prompt, { role: 'assistant' as const, content: rejected }];
  const conversationId = `import:${privacy.pseudonyms.hash('import', JSON.stringify(messages))}`;
  const occurredAt = new Date().toISOString();
  const turns = messages.map((message, turn) => makeTurn({ conversationId, turn, occurredAt, ...message }));
  return protectContents({ turns, feedback: [] }, privacy).turns;
}

/** Those that nobody erased; erasures wait until the import ends. */
async function withoutErased(manager: EntityManager, { pseudonyms }: Privacy, batch: Turn[][]): Promise<Turn[][]> {
  await holdOffErasures(manager);
  const idOf = (turns: Turn[]) => turns[0]!.conversationId;
  const erased = await erasedAmong(manager, pseudonyms, batch.map(idOf));
  return batch.filter((turns) => !erased.has(idOf(turns)));
}

async function insertImported(manager: EntityManager, conversations: Turn[][], source: string): Promise<number> {
  if (conversations.length === 0) return 0;
  await insertTurns(manager, conversations.flat());
  // The turn of the feedback, which no user gave.
  const places = conversations.map((turns) => ({ conversationId: turns[0]!.conversationId, turn: turns.length }));
  const written = await manager.query<unknown[]>(
    `INSERT INTO anchors (id, conversation_id, turn, origin, source)
     SELECT id, conversation_id, turn, 'imported', $4
     FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS g (id, conversation_id, turn)
     ON CONFLICT DO NOTHING RETURNING id`,
    [
      places.map(({ conversationId, turn }) => derivedId('anchor', conversationId, turn)),
      places.map(({ conversationId }) => conversationId),
      places.map(({ turn }) => turn),
      source,
    ],
  );
  return written.length;
}
