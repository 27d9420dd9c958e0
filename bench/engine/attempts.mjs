/** Work of a bench part, and what of it went wrong. */
export class Attempts {
  /** @type {string[]} */
  failures = [];

  /**
   * A peer that does not run is a failure with its reason, not a missing row. Says what it is at, and how long it took.
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} work
   * @returns {Promise<T | undefined>}
   */
  async run(name, work) {
    process.stderr.write(`${name} … `);
    const start = performance.now();
    try {
      return await work();
    } catch (error) {
      this.failures.push(`${name}: ${error.message}`);
      return undefined;
    } finally {
      process.stderr.write(`${((performance.now() - start) / 1e3).toFixed(0)} s\n`);
    }
  }
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
