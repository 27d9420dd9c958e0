const PROGRESS_EVERY_MS = 2_000;

/** What the quickstart prints: headings and results on stdout, progress in between at most every two seconds. */
export class Console {
  private readonly startedAt = Date.now();
  private lastProgressAt = 0;

  heading(text: string): void {
    const seconds = Math.round((Date.now() - this.startedAt) / 1000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    console.log(`\n▸ [${clock}] ${text}`);
    this.lastProgressAt = Date.now();
  }

  say(text: string): void {
    console.log(text);
  }

  progress(text: string): void {
    if (Date.now() - this.lastProgressAt < PROGRESS_EVERY_MS) return;
    this.lastProgressAt = Date.now();
    console.error(`  … ${text}`);
  }
}
