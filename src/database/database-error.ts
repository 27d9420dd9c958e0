import { DriftError } from '../drift-error.js';
import { tlsAdvice } from '../tls-advice.js';

const TLS_SETTINGS = { ca: 'DRIFTLOOP_DATABASE_CA', certificate: 'sslcert of DATABASE_URL' };

/** Says where PostgreSQL was looked for, what went wrong, and what to do about it; never the password. */
export function databaseUnavailable(databaseUrl: string, cause: Error & { code?: string }): DriftError {
  const { host, pathname } = new URL(databaseUrl);
  const message = `PostgreSQL at ${host}${pathname} does not answer: ${cause.message}. ${advice(databaseUrl, cause.code)}`;
  return new DriftError('database-unavailable', message, { cause, retriable: true });
}

const NO_SUCH_ENTRY = '28000';

function advice(databaseUrl: string, code?: string): string {
  const encrypted = (new URL(databaseUrl).searchParams.get('sslmode') ?? 'disable') !== 'disable';
  if (code === NO_SUCH_ENTRY && !encrypted) {
    return 'If the server demands TLS, add sslmode=verify-full to DATABASE_URL.';
  }
  return tlsAdvice(code, TLS_SETTINGS) ?? 'Check DATABASE_URL.';
}
