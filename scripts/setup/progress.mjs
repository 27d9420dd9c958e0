const FIRST_MS = 2_000;
const EVERY_MS = 5_000;
const MB = 1_000_000;

/** A failure that a person can mend: the message says what is missing and how to get it. */
export class SetupError extends Error {}

/** Says what a stage is doing once it takes longer than two seconds. */
export class Progress {
  #started = Date.now();
  #doing = '';
  /** @type {() => string} */
  #amount = () => '';

  /** @param {string} title */
  constructor(title) {
    this.title = title;
    this.timer = setTimeout(() => this.#tick(), FIRST_MS);
  }

  /**
   * @param {string} doing what happens now, "downloading"
   * @param {() => { done: number, total: number }} [bytes] how far it is
   */
  now(doing, bytes) {
    this.#doing = doing;
    this.#amount = () => {
      if (bytes === undefined) return '';
      const { done, total } = bytes();
      return ` ${(done / MB).toFixed(0)} of ${(total / MB).toFixed(0)} MB`;
    };
  }

  /** For the lock that another setup holds. */
  waiting = (/** @type {number} */ pid) => this.now(`waiting for process ${pid}, which is doing it`);

  get seconds() {
    return Math.round((Date.now() - this.#started) / 1_000);
  }

  #tick() {
    console.log(`… ${this.title}: ${this.#doing}${this.#amount()} (${this.seconds} s)`);
    this.timer = setTimeout(() => this.#tick(), EVERY_MS);
  }

  end() {
    clearTimeout(this.timer);
  }
}

/**
 * Runs one stage and prints one line when it is done.
 * @param {string} title
 * @param {(progress: Progress) => Promise<string>} run returns what the line says in brackets: "cached", or what was done
 */
export async function stage(title, run) {
  const progress = new Progress(title);
  try {
    const outcome = await run(progress);
    const took = progress.seconds >= 2 ? `, ${progress.seconds} s` : '';
    console.log(`✓ ${title} (${outcome}${took})`);
  } catch (error) {
    console.log(`✗ ${title}`);
    throw error;
  } finally {
    progress.end();
  }
}
