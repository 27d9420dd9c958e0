import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import { cleanExports, type ExportedFiles } from './exported-files.js';

/**
 * Cleans the exports that this machine can reach, beside other work. One cleaning at a time: what is asked for during one
 * is done by the next. What could not be cleaned is said and stays remembered.
 */
export class ExportCleaner {
  private readonly logger = new Logger(ExportCleaner.name);
  private cleaning?: Promise<void>;
  private asked = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly pseudonyms: Pseudonyms,
  ) {}

  /** Does what a process left to do that was killed. Of files that are elsewhere the erasure has spoken. */
  resume(): void {
    this.cleaning ??= this.cleanOnce(({ failed }) => this.say({ cleaned: [], missing: [], failed })).then(() =>
      this.untilNoneAsks(),
    );
  }

  /** Call it once the transaction that erased has ended well. */
  clean(): void {
    this.asked = true;
    this.cleaning ??= this.untilNoneAsks();
  }

  /** Ends with the cleaning in hand, before the DataSource is closed. */
  async close(): Promise<void> {
    await this.cleaning;
  }

  private async untilNoneAsks(): Promise<void> {
    while (this.asked) {
      this.asked = false;
      await this.cleanOnce((files) => this.say(files));
    }
    this.cleaning = undefined;
  }

  private cleanOnce(say: (files: ExportedFiles) => void): Promise<void> {
    return cleanExports(this.dataSource, this.pseudonyms).then(say, (error: Error) =>
      this.logger.warn(`Exports were not cleaned of what is erased: ${error.message}. ${AGAIN}`),
    );
  }

  private say({ missing, failed }: ExportedFiles): void {
    for (const path of missing) {
      this.logger.warn(
        `${path} was exported and is not on this machine, or was moved: it may hold erased text. ${AGAIN}`,
      );
    }
    for (const { path, message } of failed) {
      this.logger.warn(`${path} was exported and may hold erased text, it cannot be cleaned: ${message}. ${AGAIN}`);
    }
  }
}

const AGAIN = 'The next erasure tries again, and so does `driftloop erase` where the file is; see to its copies.';
