import type { ModelConfig } from '../model-config.js';
import type { Native, NativeSession } from './native-session.js';

/** Score of a place that holds nothing (yet), before the softmax. */
export const HIDDEN = -1e9;

/** The cache grows by so many places at once, as growing copies it. */
const PLACES = 64;

type LayerCache = {
  /** [slots * kvHeads * capacity, headDim] */
  keys: Native;
  values: Native;
};

/** Where in the cache rows of keys and values belong: [rows * kvHeads]. */
export type Places = Native;

/** Keys and values of sequences that are continued together; each has a slot, and its own length. */
export class KvCache {
  private layers: LayerCache[];
  private capacity = 0;

  constructor(
    private readonly session: NativeSession,
    private readonly config: ModelConfig,
    private slots: number,
  ) {
    const empty = () => session.call('Fill', [session.constant([0, config.headDim]), session.scalar(0)]);
    this.layers = Array.from({ length: config.layers }, () => ({ keys: empty(), values: empty() }));
  }

  /** The places of tokens at these positions of these slots, in order. */
  places(tokens: readonly { slot: number; position: number }[]): Places {
    const { kvHeads } = this.config;
    const rows = new Int32Array(tokens.length * kvHeads);
    for (const [i, { slot, position }] of tokens.entries()) {
      for (let head = 0; head < kvHeads; head++)
        rows[i * kvHeads + head] = (slot * kvHeads + head) * this.capacity + position;
    }
    return this.session.ints(rows);
  }

  /** Keeps keys and values [rows, kvHeads, headDim] at their places. The op writes into the tensor it is given. */
  write(layer: number, k: Native, v: Native, places: Places): void {
    const { session } = this;
    const { keys, values } = this.layers[layer]!;
    const flat = (x: Native) => session.reshape(x, [-1, this.config.headDim]);
    session.release(
      session.call('InplaceUpdate', [keys, places, flat(k)]),
      session.call('InplaceUpdate', [values, places, flat(v)]),
    );
  }

  /**
   * Attention of one new token in each slot, over what the mask shows.
   * @param q [slots, heads, headDim], scaled
   * @param mask of `mask`
   * @returns [slots, heads * headDim]
   */
  attend(q: Native, layer: number, mask: Native): Native {
    const { session, slots, capacity } = this;
    const { kvHeads, headDim } = this.config;
    const whole = (cache: Native) => session.reshape(cache, [slots, kvHeads, capacity, headDim]);
    const { keys, values } = this.layers[layer]!;
    const queries = session.reshape(q, [slots, kvHeads, -1, headDim]);
    const scores = session.add(session.batchMatMul(queries, whole(keys), { transposeB: true }), mask);
    const attended = session.batchMatMul(session.call('Softmax', [scores]), whole(values));
    return session.reshape(attended, [slots, -1]);
  }

  /** [slots, 1, 1, capacity]: shows so many places of each slot. */
  mask(lengths: readonly number[]): Native {
    const { slots, capacity } = this;
    const mask = new Float32Array(slots * capacity).fill(HIDDEN);
    for (const [slot, length] of lengths.entries()) mask.fill(0, slot * capacity, slot * capacity + length);
    return this.session.floats(mask, [slots, 1, 1, capacity]);
  }

  /** Makes room for so many tokens in each slot, or gives room back. */
  fit(lengths: readonly number[]): void {
    const capacity = Math.ceil(Math.max(...lengths) / PLACES) * PLACES;
    if (capacity === this.capacity) return;
    this.replaceAll((cache) => this.withCapacity(cache, capacity));
    this.capacity = capacity;
  }

  /** Goes on with these slots only. */
  keep(slots: readonly number[]): void {
    this.replaceAll((cache) => this.session.gather(cache, this.session.constant(slots)));
    this.slots = slots.length;
  }

  /** @param change of [slots, kvHeads, capacity, headDim] */
  private replaceAll(change: (cache: Native) => Native): void {
    const { session, slots, capacity } = this;
    const { kvHeads, headDim } = this.config;
    const replace = (cache: Native) => {
      const changed = session.scope(() =>
        session.reshape(change(session.reshape(cache, [slots, kvHeads, capacity, headDim])), [-1, headDim]),
      );
      session.release(cache);
      return session.keep(changed);
    };
    this.layers = this.layers.map(({ keys, values }) => ({ keys: replace(keys), values: replace(values) }));
  }

  private withCapacity(cache: Native, capacity: number): Native {
    const { session, slots } = this;
    const { kvHeads, headDim } = this.config;
    const shape = (places: number) => session.constant([slots, kvHeads, places, headDim]);
    if (capacity < this.capacity)
      return session.call('Slice', [cache, session.constant([0, 0, 0, 0]), shape(capacity)]);
    return session.concat([cache, session.call('Fill', [shape(capacity - this.capacity), session.scalar(0)])], 2);
  }
}
