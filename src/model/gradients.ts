import { inPlace } from './in-place.js';
import { hasFusedOps } from './layer-ops/choose-ops.js';
import { dtypeOf, effect, execute, FLOAT, INT32, type } from './native.js';
import { cast } from './ops.js';
import { type Tensor, tf } from './tf.js';

const ADD = [type('dtype', FLOAT)];
const ADD_ROWS = [...ADD, type('Tindices', INT32)];

/**
 * Gradients by parameter name, summed over what is added; it owns its tensors. A sum of several is fp32; a single term
 * stays in the precision in which its product was computed, where the optimizer reads that.
 */
export class Gradients {
  private readonly sums = new Map<string, Tensor>();

  /** Only the named parameters are trained: what else is added is not even computed. */
  constructor(private readonly trained: ReadonlySet<string>) {}

  add(name: string, compute: () => Tensor): void {
    if (!this.trained.has(name)) return;
    const before = this.sums.get(name);
    if (before === undefined) this.sums.set(name, tf.keep(tf.tidy(() => readable(compute()))));
    else this.change(name, before, (sum) => effect('AssignAddVariableOp', ADD, [sum, cast(compute(), 'fp32')]));
  }

  /**
   * Adds to some rows of a table's gradient; a row may occur more than once.
   * @param rows [count], int32
   * @param terms [count, width]
   */
  addRows(name: string, tableRows: number, rows: Tensor, terms: Tensor): void {
    if (!this.trained.has(name)) return;
    const before = this.sums.get(name) ?? tf.zeros([tableRows, terms.shape[1]!]);
    this.change(name, before, (sum) => effect('ResourceScatterAdd', ADD_ROWS, [sum, rows, terms]));
  }

  get(name: string): Tensor | undefined {
    return this.sums.get(name);
  }

  /** Euclidean norm over all of them together. */
  norm(): number {
    const squares = tf.tidy(() => tf.stack([...this.sums.values()].map(squareSum)).dataSync<'float32'>());
    return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
  }

  dispose(): void {
    tf.dispose([...this.sums.values()]);
    this.sums.clear();
  }

  private change(name: string, before: Tensor, change: (sum: Tensor) => void): void {
    const wide = cast(before, 'fp32');
    if (wide !== before) before.dispose();
    const [sum] = inPlace([wide], ([variable]) => change(variable!));
    this.sums.set(name, sum);
  }
}

/** TensorFlow's own ops compute update and norm in fp32 only. */
const readable = (x: Tensor) => (hasFusedOps ? x : cast(x, 'fp32'));

/** In one pass. */
function squareSum(x: Tensor): Tensor {
  if (hasFusedOps) return execute('DriftloopSquareSum', [type('T', dtypeOf(x))], [x]);
  return tf.mul(execute('L2Loss', [type('T', FLOAT)], [x]), 2);
}
