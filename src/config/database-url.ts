import { z } from 'zod';
import { pairProblem, pemProblem } from './pem-file.js';

/** Modes of `sslmode` that verify the server's certificate and its name. libpq's are weaker, and `prefer` is none at all. */
const VERIFIED = ['verify-full', 'verify-ca', 'require'];
const MODES = [...VERIFIED, 'no-verify', 'disable'];
const FILES = { sslrootcert: 'certificates', sslcert: 'certificates', sslkey: 'private key' } as const;

/** A PostgreSQL URL whose TLS parameters do what they say. */
export const databaseUrl = z
  .url({ protocol: /^postgres(ql)?$/, abort: true })
  .superRefine((url, context) => {
    const problem = tlsProblem(new URL(url).searchParams);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  })
  .transform(verifyFully);

function tlsProblem(parameters: URLSearchParams): string | undefined {
  const mode = parameters.get('sslmode');
  if (mode !== null && !MODES.includes(mode)) return `sslmode=${mode} is not known: expected ${MODES.join(', ')}`;
  const given = Object.entries(FILES).filter(([name]) => parameters.get(name));
  const [cert, key] = [parameters.get('sslcert'), parameters.get('sslkey')];
  if (given[0] && !VERIFIED.includes(mode ?? '')) return `${given[0][0]} is only allowed with sslmode=verify-full`;
  if (!cert !== !key) return 'sslcert and sslkey are only allowed together';
  const unusable = given.map(([name, content]) => pemProblem(parameters.get(name)!, content)).find(Boolean);
  return unusable ?? (cert && key ? pairProblem(cert, key) : undefined);
}

/** The driver does the same for these modes, but warns that its next version verifies less. */
function verifyFully(href: string): string {
  const url = new URL(href);
  const mode = url.searchParams.get('sslmode') ?? '';
  if (mode === 'verify-full' || !VERIFIED.includes(mode)) return href;
  url.searchParams.set('sslmode', 'verify-full');
  return url.href;
}

interface Keys {
  DATABASE_URL?: string;
  DRIFTLOOP_DATABASE_CA?: string;
}

/** A CA beside a URL that would not use it. */
export function checkDatabaseCa({ DATABASE_URL, DRIFTLOOP_DATABASE_CA }: Keys, context: z.RefinementCtx): void {
  if (DRIFTLOOP_DATABASE_CA === undefined) return;
  const parameters = DATABASE_URL ? new URL(DATABASE_URL).searchParams : undefined;
  const mode = parameters?.get('sslmode') ?? 'verify-full';
  if (parameters && mode === 'verify-full' && !parameters.has('sslrootcert')) return;
  const message = 'is only allowed with a DATABASE_URL of sslmode=verify-full, without sslrootcert';
  context.addIssue({ code: 'custom', path: ['DRIFTLOOP_DATABASE_CA'], message });
}

/** The URL with the CA that its server is verified against. */
export function withDatabaseCa({ DATABASE_URL, DRIFTLOOP_DATABASE_CA }: Keys): string | undefined {
  if (!DATABASE_URL || !DRIFTLOOP_DATABASE_CA) return DATABASE_URL;
  const url = new URL(DATABASE_URL);
  url.searchParams.set('sslmode', 'verify-full');
  url.searchParams.set('sslrootcert', DRIFTLOOP_DATABASE_CA);
  return url.href;
}
