import { constants } from 'node:os';

/** Something to leave in order when the process ends. */
interface Use {
  leave(): Promise<void>;
  leaveNow(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const uses = new Set<Use>();

/**
 * Sees to it that `use` is left when the process gets SIGINT or SIGTERM, or exits in any other way that leaves a last word.
 * @returns a function that ends this care
 */
export function leaveOnExit(use: Use): () => void {
  if (uses.size === 0) {
    process.on('exit', onExit);
    // First in line, so that it still sees who else listens, if only once.
    for (const signal of SIGNALS) process.prependListener(signal, onSignal);
  }
  uses.add(use);
  return () => {
    uses.delete(use);
    if (uses.size > 0) return;
    process.off('exit', onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

function onExit(): void {
  for (const use of uses) use.leaveNow();
}

/** Leaves only where nobody else listens: who does, like a service, ends its work first and then leaves by itself. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  void Promise.allSettled([...uses].map((use) => use.leave())).then(() =>
    process.exit(128 + constants.signals[signal]),
  );
}
