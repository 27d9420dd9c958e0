import type { Draft } from './draft.js';
import { KvCache } from './kv-cache.js';
import type { Native } from './native-session.js';
import { prefill } from './prefill.js';
import { hiddenRows, logitsOfRows, type SamplingModel } from './sampling-layers.js';

/** Sequences that are continued together, each in a slot; those that end make room for others. */
export class Batch {
  /** By slot; null where it is free. */
  drafts: (Draft | null)[];
  private readonly cache: KvCache;

  constructor(
    private readonly model: SamplingModel,
    slots: number,
  ) {
    this.drafts = new Array(slots).fill(null);
    this.cache = new KvCache(model.session, model.config, slots);
  }

  get freeSlots(): number {
    return this.drafts.filter((draft) => draft === null).length;
  }

  /** Frees the slots of drafts that ended. */
  removeFinished(): void {
    this.drafts = this.drafts.map((draft) => (draft?.finish === null ? draft : null));
  }

  /** Puts drafts into free slots and computes their prompts: logits of what follows each [entering, vocab]. */
  admit(entering: readonly Draft[]): Native {
    const free = this.drafts.flatMap((draft, slot) => (draft === null ? [slot] : []));
    const prompts = entering.map(({ request }, i) => ({ promptIds: request.promptIds, slot: free[i]! }));
    for (const [i, draft] of entering.entries()) this.drafts[free[i]!] = draft;
    this.cache.fit(this.drafts.map(length));
    return prefill(this.model, this.cache, prompts);
  }

  /** Goes on without the free slots. */
  shrink(): void {
    const kept = this.drafts.flatMap((draft, slot) => (draft === null ? [] : [slot]));
    this.drafts = kept.map((slot) => this.drafts[slot]!);
    this.cache.keep(kept);
  }

  /** One token on in every slot: logits [slots, vocab], of which those of free slots mean nothing. */
  step(): Native {
    const { session } = this.model;
    const lengths = this.drafts.map(length);
    this.cache.fit(lengths);
    return session.scope(() => {
      const places = this.cache.places(lengths.map((length, slot) => ({ slot, position: length - 1 })));
      const mask = this.cache.mask(lengths);
      const hidden = hiddenRows(
        this.model,
        this.drafts.map((draft) => draft?.ids.at(-1) ?? 0),
        lengths.map((length) => length - 1),
        (q, k, v, layer) => {
          this.cache.write(layer, k, v, places);
          return this.cache.attend(q, layer, mask);
        },
      );
      return logitsOfRows(this.model, hidden);
    });
  }
}

/** Tokens in a slot; a free one is computed as if it held one. */
function length(draft: Draft | null): number {
  return draft === null ? 1 : draft.request.promptIds.length + draft.ids.length;
}
