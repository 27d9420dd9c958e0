import type { DataSource } from 'typeorm';
import { DriftError } from '../drift-error.js';
import type { Pseudonyms } from './pseudonyms.js';

/**
 * Refuses another key than the one that this database was filled with; an empty database takes the key given.
 * @throws DriftError `config-invalid`
 */
export async function requireOwnKey(dataSource: DataSource, pseudonyms: Pseudonyms): Promise<void> {
  const fingerprint = pseudonyms.hash('fingerprint', '');
  await dataSource.query(
    'INSERT INTO privacy_keys (fingerprint) SELECT $1 WHERE NOT EXISTS (SELECT FROM privacy_keys) ON CONFLICT DO NOTHING',
    [fingerprint],
  );
  const known = await dataSource.query<unknown[]>('SELECT FROM privacy_keys WHERE fingerprint = $1', [fingerprint]);
  if (known.length > 0) return;
  const message =
    'This database was filled with another privacy key: users and turns would not be known again. Set ' +
    'DRIFTLOOP_PRIVACY_KEY to that key, or bring its privacy.key back into the state directory.';
  throw new DriftError('config-invalid', message);
}
