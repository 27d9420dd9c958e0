import { type Tensor, tf } from './tf.js';

/** Gradients by parameter name, summed over what is added; it owns its tensors. */
export class Gradients {
  private readonly sums = new Map<string, Tensor>();

  /** Only the named parameters are trained: what else is added is not even computed. */
  constructor(private readonly trained: ReadonlySet<string>) {}

  add(name: string, compute: () => Tensor): void {
    if (!this.trained.has(name)) return;
    const before = this.sums.get(name);
    this.sums.set(name, tf.keep(before === undefined ? compute() : tf.tidy(() => tf.add(before, compute()))));
    before?.dispose();
  }

  get(name: string): Tensor | undefined {
    return this.sums.get(name);
  }

  /** Euclidean norm over all of them together. */
  norm(): number {
    const squares = tf.tidy(() => tf.addN([...this.sums.values()].map((sum) => tf.sum(tf.square(sum)))));
    const [square] = squares.dataSync();
    squares.dispose();
    return Math.sqrt(square!);
  }

  dispose(): void {
    tf.dispose([...this.sums.values()]);
    this.sums.clear();
  }
}
