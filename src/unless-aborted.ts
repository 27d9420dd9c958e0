import { once } from 'node:events';

/**
 * What the work comes to. Once the signal is aborted it is not waited for, and goes on unseen.
 * @throws the signal's reason once it is aborted
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const finished = new AbortController();
  const aborted = signal.aborted ? Promise.resolve() : once(signal, 'abort', { signal: finished.signal });
  const thrown = aborted.then(() => signal.throwIfAborted());
  try {
    return (await Promise.race([work, thrown])) as T;
  } finally {
    finished.abort();
  }
}
