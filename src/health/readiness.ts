import { Injectable } from '@nestjs/common';
import { within } from './within.js';

/** Resolves to why a part of the service is not ready, or to undefined where it is. */
export type ReadinessCheck = () => Promise<string | undefined>;

const CHECK_TIMEOUT_MS = 2_000;

/** What `/readyz` says. A part of the service adds its own check when it starts. */
@Injectable()
export class Readiness {
  private readonly checks = new Map<string, ReadinessCheck>();
  private draining = false;

  add(name: string, check: ReadinessCheck): void {
    this.checks.set(name, check);
  }

  /** From now on never ready: the service is shutting down. */
  drain(): void {
    this.draining = true;
  }

  /** Why the service is not ready, by part; empty where it is. A check that throws or hangs counts as a reason. */
  async reasons(timeoutMs = CHECK_TIMEOUT_MS): Promise<Record<string, string>> {
    if (this.draining) return { service: 'shutting down' };
    const answers = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await ask(check, timeoutMs)]),
    );
    return Object.fromEntries(answers.filter(([, reason]) => reason !== undefined));
  }
}

async function ask(check: ReadinessCheck, timeoutMs: number): Promise<string | undefined> {
  try {
    return await within(check(), timeoutMs, `no answer within ${timeoutMs} ms`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
