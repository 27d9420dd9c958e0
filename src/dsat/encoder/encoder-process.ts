import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DriftError } from '../../drift-error.js';
import type { Exchange } from '../verdict.js';
import type { EncoderAnswer } from './encoder-child.js';
import type { EncoderFiles, EncoderScores } from './encoder-session.js';

/** From its sources (tests, benches) the child needs what turns TypeScript into JavaScript. */
const FROM_SOURCES = import.meta.url.endsWith('.ts');

interface Waiting {
  resolve(scores: EncoderScores[]): void;
  reject(error: DriftError): void;
}

/**
 * The encoder in a process of its own: a thread that reads Kafka must not stand still for as long as a model computes, and
 * a process that ends while a thread of it is in the native runtime is aborted. It is started again where it
 * died, ends with this process, and does not keep it alive.
 */
export class EncoderProcess {
  private child?: ChildProcess;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;

  constructor(private readonly files: EncoderFiles) {}

  /** Loads the model now, and not with the first exchange. */
  prepare(): void {
    this.child ??= this.start();
  }

  /** @throws DriftError `model-invalid` where a file is missing or another one, or where the process dies */
  async score(exchanges: Exchange[]): Promise<EncoderScores[]> {
    if (exchanges.length === 0) return [];
    this.child ??= this.start();
    const { child } = this;
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      child.ref();
      child.channel?.ref();
      child.send({ id, exchanges }, (error) => {
        if (error) this.lost(child, error.message);
      });
    });
  }

  private start(): ChildProcess {
    const module = fileURLToPath(new URL(`./encoder-child.${FROM_SOURCES ? 'ts' : 'js'}`, import.meta.url));
    const child = fork(module, [JSON.stringify(this.files)], {
      execArgv: FROM_SOURCES ? ['--import', '@swc-node/register/esm-register'] : [],
      serialization: 'advanced',
    });
    child.on('message', (answer: EncoderAnswer) => this.answered(child, answer));
    child.on('exit', (code, signal) => this.lost(child, `it ended with ${signal ?? code}`));
    child.on('error', ({ message }) => this.lost(child, message));
    leaveAlone(child);
    return child;
  }

  private answered(child: ChildProcess, { id, scores, problem }: EncoderAnswer): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (scores) waiting?.resolve(scores);
    else waiting?.reject(new DriftError('model-invalid', problem!, { facts: { dir: this.files.dir } }));
    if (this.waiting.size === 0) leaveAlone(child);
  }

  private lost(child: ChildProcess, how: string): void {
    if (this.child !== child) return;
    this.child = undefined;
    const message = `The process of the encoder is gone: ${how}. The next exchanges start it again.`;
    const error = new DriftError('model-invalid', message, { retriable: true });
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

/** This process may end while the child has nothing to do. */
function leaveAlone(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
}
