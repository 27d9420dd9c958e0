import { readdirSync, readFileSync } from 'node:fs';

/** Of Linux; what /proc counts CPU time in. */
const TICKS_PER_SECOND = 100;

/** CPU seconds of a process so far; with `withChildren` also of those it started. */
export function cpuSeconds(pid: number, withChildren = false): number {
  const pids = withChildren ? [pid, ...childrenOf(pid)] : [pid];
  return pids.reduce((sum, each) => sum + ticks(each, each === pid && withChildren), 0) / TICKS_PER_SECOND;
}

function childrenOf(parent: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => Number(stat(pid)?.[1]) === parent);
}

/** With the children that have ended, where asked. */
function ticks(pid: number, withEnded: boolean): number {
  const fields = stat(pid);
  if (!fields) return 0;
  return fields.slice(11, withEnded ? 15 : 13).reduce((sum, value) => sum + Number(value), 0);
}

/** From the third field on: state, parent, ... */
function stat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined; // it has ended
  }
}

export function rssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024;
}
