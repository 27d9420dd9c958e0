import { mix } from './text.js';

/**
 * A sparse vector of hashed binary features, filled again for each exchange. Features come in groups; each group has
 * the Euclidean length `weight`, so that a long reply does not drown a short turn.
 */
export class FeatureVector {
  readonly buckets: number;
  /** The first `size` entries count. */
  indices = new Int32Array(4096);
  values = new Float32Array(4096);
  size = 0;
  private readonly mask: number;
  private readonly seen: Uint32Array;
  private pass = 0;
  private groupStart = 0;
  private groupSeed = 0;

  constructor(bits: number) {
    this.buckets = 2 ** bits;
    this.mask = this.buckets - 1;
    this.seen = new Uint32Array(this.buckets);
  }

  clear(): void {
    this.size = 0;
    this.groupStart = 0;
    if (++this.pass === 2 ** 32) {
      this.seen.fill(0);
      this.pass = 1;
    }
  }

  /** Features added from here on are told apart from those of other groups. */
  group(seed: number): void {
    this.groupStart = this.size;
    this.groupSeed = Math.imul(seed + 1, 0x9e3779b1);
  }

  /** Adds a feature of the group; one that is there already counts once. */
  add(hash: number): void {
    const index = mix(this.groupSeed, hash) & this.mask;
    if (this.seen[index] === this.pass) return;
    this.seen[index] = this.pass;
    if (this.size === this.indices.length) this.grow();
    this.indices[this.size++] = index;
  }

  endGroup(weight: number): void {
    const count = this.size - this.groupStart;
    if (count > 0) this.values.fill(weight / Math.sqrt(count), this.groupStart, this.size);
  }

  private grow(): void {
    const indices = new Int32Array(this.indices.length * 2);
    const values = new Float32Array(indices.length);
    indices.set(this.indices);
    values.set(this.values);
    this.indices = indices;
    this.values = values;
  }
}
