import { readConfigured } from './configured-file.js';

/** The URL with the certificate authority that its server is checked against; `verify-full` unless it says otherwise. */
export function withDatabaseCa(databaseUrl: string, caFile: string | undefined): string {
  if (caFile === undefined) return databaseUrl;
  readConfigured('DRIFTLOOP_DATABASE_CA', caFile);
  const url = new URL(databaseUrl);
  if (!url.searchParams.has('sslmode')) url.searchParams.set('sslmode', 'verify-full');
  url.searchParams.set('sslrootcert', caFile);
  return url.href;
}
