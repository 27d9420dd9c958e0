import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Role } from '../../src/config/config.js';
import { leaveOnExit } from '../../src/stack/exit.js';

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const RESTART_MS = 500;

/** A process that ended without being told to. */
export interface Crash {
  worker: string;
  /** Whether it was up, and not on its way there. */
  wasUp: boolean;
  /** Code or signal, and the last line of its log. */
  what: string;
}

/**
 * A process of the built `driftloop serve` that is started again when it ends by itself, as an orchestrator would. It ends
 * with this one.
 */
export class Worker {
  readonly crashes: Crash[] = [];
  private child?: ChildProcess;
  private wanted = true;

  private constructor(
    readonly name: string,
    private readonly args: string[],
    private readonly env: NodeJS.ProcessEnv,
    private readonly logFile: string,
    /** It writes it once it is up. */
    private readonly portsFile: string,
  ) {}

  /** @param nodeOptions of the process, such as `--cpu-prof` */
  static start(
    name: string,
    roles: Role[],
    env: Record<string, string>,
    dir: string,
    nodeOptions: string[] = [],
  ): Worker {
    mkdirSync(dir, { recursive: true });
    const ports = join(dir, `${name}.json`);
    const args = [...nodeOptions, MAIN, 'serve', '--roles', roles.join(','), '--ports-file', ports];
    const worker = new Worker(name, args, { ...process.env, ...env }, join(dir, `${name}.log`), ports);
    worker.spawn();
    return worker;
  }

  get isUp(): boolean {
    return existsSync(this.portsFile);
  }

  get pid(): number {
    return this.child!.pid!;
  }

  signal(signal: NodeJS.Signals): void {
    this.child!.kill(signal);
  }

  /** Resolves to how it ended, once it has. It does not come back. */
  async end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.wanted = false;
    const child = this.child!;
    if (child.exitCode !== null || child.signalCode !== null) return { code: child.exitCode, signal: child.signalCode };
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code, by] = await exited;
    return { code, signal: by };
  }

  private spawn(): void {
    rmSync(this.portsFile, { force: true });
    const log = openSync(this.logFile, 'a');
    this.child = spawn(process.execPath, this.args, { env: this.env, stdio: ['ignore', log, log] });
    closeSync(log);
    const ended = leaveOnExit({
      leave: async () => void (await this.end('SIGKILL')),
      leaveNow: () => this.signal('SIGKILL'),
    });
    this.child.once('exit', () => {
      ended();
      void this.comeBack();
    });
  }

  private async comeBack(): Promise<void> {
    if (!this.wanted) return;
    const { exitCode, signalCode } = this.child!;
    const lastLine = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    const what = `ended with ${exitCode ?? signalCode}: ${lastLine.slice(0, 500)}`;
    this.crashes.push({ worker: this.name, wasUp: this.isUp, what });
    await sleep(RESTART_MS);
    if (this.wanted) this.spawn();
  }
}
