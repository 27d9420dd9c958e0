import { inPlace } from './in-place.js';
import { effect, execute, FLOAT, INT32, type } from './native.js';
import { type Tensor, tf } from './tf.js';

const ADD = [type('dtype', FLOAT)];
const ADD_ROWS = [...ADD, type('Tindices', INT32)];

/** Gradients by parameter name, fp32, summed over what is added; it owns its tensors. */
export class Gradients {
  private readonly sums = new Map<string, Tensor>();

  /** Only the named parameters are trained: what else is added is not even computed. */
  constructor(private readonly trained: ReadonlySet<string>) {}

  add(name: string, compute: () => Tensor): void {
    if (!this.trained.has(name)) return;
    const before = this.sums.get(name);
    if (before === undefined) this.sums.set(name, tf.keep(tf.tidy(compute)));
    else this.change(name, before, (sum) => effect('AssignAddVariableOp', ADD, [sum, compute()]));
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
    const halves = tf.tidy(() => tf.stack([...this.sums.values()].map(halfSquare)).dataSync<'float32'>());
    return Math.sqrt(2 * halves.reduce((sum, half) => sum + half, 0));
  }

  dispose(): void {
    tf.dispose([...this.sums.values()]);
    this.sums.clear();
  }

  private change(name: string, before: Tensor, change: (sum: Tensor) => void): void {
    const [sum] = inPlace([before], ([variable]) => change(variable!));
    this.sums.set(name, sum);
  }
}

/** Sum of squares over 2, in one pass. */
const halfSquare = (x: Tensor) => execute('L2Loss', [type('T', FLOAT)], [x]);
