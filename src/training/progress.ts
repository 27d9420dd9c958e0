const TICK_MS = 2_000;

/** What a run says while it works: whole lines, and at most one of the frequent ones every two seconds. */
export class Progress {
  private lastTick = 0;

  constructor(
    private readonly write: (line: string) => void,
    private readonly now: () => number = Date.now,
  ) {}

  line(text: string): void {
    this.lastTick = this.now();
    this.write(text);
  }

  tick(text: () => string): void {
    if (this.now() - this.lastTick >= TICK_MS) this.line(text());
  }
}

/** Time as people say it: `8 s`, `3 min 20 s`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
