import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names this process among all that share a database: host, process namespace, pid, and a nonce. */
export function processIdentity(): string {
  return [hostname(), pidNamespace(), process.pid, randomUUID().slice(0, 8)].join('/');
}

/** Whether the process is known to be gone; of another machine's or container's nothing is known. */
export function isKnownDead(identity: string): boolean {
  const [host, namespace, pid] = identity.split('/');
  if (host !== hostname() || namespace !== pidNamespace() || namespace === UNKNOWN) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

const UNKNOWN = 'unknown';

/** Two containers of one host may use the same pid; Linux says which namespace it belongs to. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return UNKNOWN;
  }
}
