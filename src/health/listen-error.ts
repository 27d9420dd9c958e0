import { DriftError } from '../drift-error.js';

/** What to tell of a failure to listen: it names the key of the configuration. */
export function listenError(cause: NodeJS.ErrnoException, port: number, host: string, key: string): DriftError {
  const facts = { port, host, key };
  if (cause.code === 'EADDRINUSE') {
    const message = `Port ${port} on ${host} is in use: set ${key} to another one, or to 0 for a free one.`;
    return new DriftError('conflict', message, { cause, facts });
  }
  const message = `Cannot listen on ${host}:${port}: ${cause.message}. Check ${key} and DRIFTLOOP_HTTP_HOST.`;
  return new DriftError('config-invalid', message, { cause, facts });
}
