import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Pseudonyms } from '../privacy/pseudonyms.js';
import { cleanExports, type ExportedFiles } from './exported-files.js';

interface Asked {
  sayMissing: boolean;
}

/**
 * Cleans the exports that this machine can reach, beside other work. One cleaning at a time: what is asked for during one
 * is done by the next. What could not be cleaned is said and stays remembered.
 */
export class ExportCleaner {
  private readonly logger = new Logger(ExportCleaner.name);
  private cleaning?: Promise<void>;
  private asked?: Asked;

  constructor(
    private readonly dataSource: DataSource,
    private readonly pseudonyms: Pseudonyms,
  ) {}

  /** Call it once the transaction that erased has ended well. */
  clean(): void {
    this.ask({ sayMissing: true });
  }

  /** Does what may have been left to do. Of files that are elsewhere the erasure has spoken. */
  resume(): void {
    this.ask({ sayMissing: this.asked?.sayMissing ?? false });
  }

  /** Ends with the cleaning in hand, before the DataSource is closed. */
  async close(): Promise<void> {
    await this.cleaning;
  }

  private ask(asked: Asked): void {
    this.asked = asked;
    this.cleaning ??= this.untilNoneAsks();
  }

  private async untilNoneAsks(): Promise<void> {
    for (let asked = this.asked; asked; asked = this.asked) {
      this.asked = undefined;
      await this.cleanOnce(asked);
    }
    this.cleaning = undefined;
  }

  private async cleanOnce({ sayMissing }: Asked): Promise<void> {
    try {
      const files = await cleanExports(this.dataSource, this.pseudonyms);
      this.say(sayMissing ? files : { ...files, missing: [] });
    } catch (error) {
      this.logger.warn(`Exports were not cleaned of what is erased: ${(error as Error).message}. ${AGAIN}`);
    }
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
