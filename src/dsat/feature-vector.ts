import { mix } from './text.js';

/**
 * A sparse vector of hashed binary features, filled again for each exchange. Features come in groups; each group has
 * a Euclidean length of its own, so that a long reply does not drown a short turn.
 */
export class FeatureVector {
  readonly buckets: number;
  /** The first `size` entries count. */
  indices = new Int32Array(4096);
  values = new Float32Array(4096);
  size = 0;
  private readonly seen: Uint32Array;
  private pass = 0;
  private groups = 0;

  constructor(bits: number) {
    this.buckets = 2 ** bits;
    this.seen = new Uint32Array(this.buckets);
  }

  clear(): void {
    this.size = 0;
    this.groups = 0;
    if (++this.pass === 2 ** 32) {
      this.seen.fill(0);
      this.pass = 1;
    }
  }

  /** The features that `fill` adds, told apart from those of other groups; together they are `length` long. */
  group(length: number, fill: () => void): void {
    const start = this.size;
    this.groups++;
    fill();
    this.values.fill(length / Math.sqrt(this.size - start), start, this.size);
  }

  /** Adds a feature to the group; one that is there already counts once. */
  add(hash: number): void {
    const index = mix(Math.imul(this.groups, 0x9e3779b1), hash) & (this.buckets - 1);
    if (this.seen[index] === this.pass) return;
    this.seen[index] = this.pass;
    if (this.size === this.indices.length) this.grow();
    this.indices[this.size++] = index;
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
