/** The default model's sizes. */
export const MODEL = { layers: 30, hidden: 576, intermediate: 1536, heads: 9, kvHeads: 3, headDim: 64, vocab: 49_152 };

/** Numbers of all linear layers of one decoder layer. */
export const LAYER =
  2 * MODEL.hidden * MODEL.heads * MODEL.headDim +
  2 * MODEL.hidden * MODEL.kvHeads * MODEL.headDim +
  3 * MODEL.hidden * MODEL.intermediate;

/** Pairs of a token and one that it may see, of so many in a row. */
export const triangle = (length) => (length * (length + 1)) / 2;
