/** A named tensor whose fp32 values are read when asked for, so that a model need not be in memory twice. */
export interface LazyTensor {
  name: string;
  /** Outermost first. */
  shape: number[];
  read(): Float32Array;
}
