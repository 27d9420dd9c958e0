import { DriftError } from '../drift-error.js';
import { type Erasure, eraseSubject } from '../erasure/erase-subject.js';
import { cleanExports } from '../erasure/exported-files.js';
import { scrubDatabase } from '../erasure/scrub-database.js';
import { createPrivacy } from '../privacy/privacy.js';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import { requireOwnKey } from '../privacy/require-own-key.js';
import { EXIT } from './program.js';
import { fields } from './terminal.js';
import { withData } from './with-data.js';

export interface EraseOptions {
  user?: string;
  conversation?: string;
  vacuum: boolean;
  json?: boolean;
}

export async function erase(options: EraseOptions): Promise<void> {
  const { user, conversation, vacuum, json } = options;
  if ((user === undefined) === (conversation === undefined)) {
    throw new DriftError('usage', 'Give either --user or --conversation.');
  }
  const outcome = await withData(async (dataSource, config) => {
    const { pseudonyms } = createPrivacy(config);
    await requireOwnKey(dataSource, pseudonyms);
    const receipt = await eraseSubject(dataSource, pseudonyms, erasureOf(options, pseudonyms));
    const files = await cleanExports(dataSource, pseudonyms);
    return { ...receipt, ...files, vacuumed: vacuum, undone: vacuum ? await scrubDatabase(dataSource) : [] };
  });
  const { cleaned, missing, failed, undone, ...counts } = outcome;
  if (json) console.log(JSON.stringify(outcome));
  else console.log(fields({ ...counts, vacuumed: String(vacuum), 'files cleaned': cleaned.join(', ') || 'none' }));
  for (const path of missing) console.error(`${path} was exported and is not there any more: see to its copies.`);
  for (const { path, message } of failed) console.error(`${path} could not be cleaned: ${message}. Erase again.`);
  if (counts.deadLetters > 0) {
    console.error('The topic of dead letters holds them until its retention, or `driftloop dlq empty-topic --yes`.');
  }
  for (const what of undone)
    console.error(`The database's files may hold the text yet, for this account could not ${what}.`);
  if (counts.turns + counts.anchors + counts.deadLetters === 0) process.exitCode = EXIT.nothingToDo;
  if (failed.length + undone.length > 0) process.exitCode = EXIT.failed;
}

function erasureOf({ user, conversation }: EraseOptions, pseudonyms: Pseudonyms): Erasure {
  const at = new Date();
  if (user !== undefined) return { subject: 'user', id: pseudonyms.userId(user), at };
  return { subject: 'conversation', id: pseudonyms.conversationId(conversation!), at };
}
