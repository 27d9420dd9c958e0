import { backend, type OpAttribute } from '../native.js';
import type { Tensor } from '../tf.js';

/** A tensor of the native library, which may be of a dtype that tfjs does not know. */
export interface Native {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

const { binding } = backend;

/** TensorFlow's number for bfloat16. */
const BF16 = 14;

const NO_ATTRIBUTES: OpAttribute[] = [];
const TO_F32: OpAttribute[] = [{ name: 'DstT', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
const TO_BF16: OpAttribute[] = [{ name: 'DstT', type: binding.TF_ATTR_TYPE, value: BF16 }];
const TRANSPOSE_B: OpAttribute[] = [{ name: 'transpose_b', type: binding.TF_ATTR_BOOL, value: true }];
const ADJOINT_Y: OpAttribute[] = [{ name: 'adj_y', type: binding.TF_ATTR_BOOL, value: true }];
const KEEP_DIMS: OpAttribute[] = [{ name: 'keep_dims', type: binding.TF_ATTR_BOOL, value: true }];
const splits = (count: number): OpAttribute[] => [{ name: 'num_split', type: binding.TF_ATTR_INT, value: count }];

/**
 * Runs single ops of the native library. An op costs 3 to 6 microseconds here, a half to a tenth of what it takes
 * through tfjs, whose larger functions are made of several: a decoding step issues some 1,500.
 */
export class NativeSession {
  private readonly scopes: Set<number>[] = [new Set()];
  private readonly constants = new Map<string, Native>();

  call(op: string, inputs: readonly Native[], attributes: OpAttribute[] = NO_ATTRIBUTES): Native {
    return this.calls(op, inputs, 1, attributes)[0]!;
  }

  calls(op: string, inputs: readonly Native[], outputs: number, attributes: OpAttribute[] = NO_ATTRIBUTES): Native[] {
    const made = binding.executeOp(
      op,
      attributes,
      inputs.map(({ id }) => id),
      outputs,
    );
    for (const { id } of made) this.scopes.at(-1)!.add(id);
    return made;
  }

  /** Releases what was made in it, but for the tensor that it returns, if any. */
  scope<T extends Native | undefined>(work: () => T): T {
    this.scopes.push(new Set());
    let result: T | undefined;
    try {
      result = work();
      return result;
    } finally {
      const made = this.scopes.pop()!;
      if (result && made.delete(result.id)) this.scopes.at(-1)!.add(result.id);
      for (const id of made) binding.deleteTensor(id);
    }
  }

  /** Takes a tensor out of its scope: it lives until it is released, or as long as the session. */
  keep(tensor: Native): Native {
    for (const scope of this.scopes) scope.delete(tensor.id);
    this.scopes[0]!.add(tensor.id);
    return tensor;
  }

  release(...tensors: Native[]): void {
    for (const { id } of tensors) {
      for (const scope of this.scopes) scope.delete(id);
      binding.deleteTensor(id);
    }
  }

  /** Releases all that is left. */
  dispose(): void {
    for (const id of this.scopes.flatMap((scope) => [...scope])) binding.deleteTensor(id);
    for (const { id } of this.constants.values()) binding.deleteTensor(id);
  }

  floats(values: Float32Array, shape: number[]): Native {
    return this.create(values, shape, binding.TF_FLOAT);
  }

  ints(values: Int32Array, shape: number[] = [values.length]): Native {
    return this.create(values, shape, binding.TF_INT32);
  }

  private create(values: Float32Array | Int32Array, shape: number[], dtype: number): Native {
    const id = binding.createTensor(shape, dtype, values);
    this.scopes.at(-1)!.add(id);
    return { id, shape, dtype };
  }

  /** A small int32 tensor (an axis, a shape) that lives as long as the session. */
  constant(values: number | readonly number[]): Native {
    const key = String(values) + (typeof values === 'number' ? '' : ',');
    let found = this.constants.get(key);
    if (found === undefined) {
      const shape = typeof values === 'number' ? [] : [values.length];
      const id = binding.createTensor(shape, binding.TF_INT32, Int32Array.from([values].flat()));
      found = { id, shape, dtype: binding.TF_INT32 };
      this.constants.set(key, found);
    }
    return found;
  }

  scalar(value: number): Native {
    const key = `f${value}`;
    let found = this.constants.get(key);
    if (found === undefined) {
      const id = binding.createTensor([], binding.TF_FLOAT, Float32Array.of(value));
      found = { id, shape: [], dtype: binding.TF_FLOAT };
      this.constants.set(key, found);
    }
    return found;
  }

  readFloats({ id }: Native): Float32Array {
    return binding.tensorDataSync(id) as Float32Array;
  }

  toBf16(x: Native): Native {
    return this.call('Cast', [x], TO_BF16);
  }

  toF32(x: Native): Native {
    return this.call('Cast', [x], TO_F32);
  }

  matMul(a: Native, b: Native, { transposeB = false } = {}): Native {
    return this.call('MatMul', [a, b], transposeB ? TRANSPOSE_B : NO_ATTRIBUTES);
  }

  /** Of the last two axes. */
  batchMatMul(a: Native, b: Native, { transposeB = false } = {}): Native {
    return this.call('BatchMatMulV2', [a, b], transposeB ? ADJOINT_Y : NO_ATTRIBUTES);
  }

  add(a: Native, b: Native): Native {
    return this.call('AddV2', [a, b]);
  }

  sub(a: Native, b: Native): Native {
    return this.call('Sub', [a, b]);
  }

  mul(a: Native, b: Native): Native {
    return this.call('Mul', [a, b]);
  }

  reshape(x: Native, shape: readonly number[]): Native {
    return this.call('Reshape', [x, this.constant(shape)]);
  }

  transpose(x: Native, order: readonly number[]): Native {
    return this.call('Transpose', [x, this.constant(order)]);
  }

  gather(x: Native, indices: Native, axis = 0): Native {
    return this.call('GatherV2', [x, indices, this.constant(axis)]);
  }

  /** Rows `start` to `start + length` of the first axis. */
  rows(x: Native, start: number, length: number): Native {
    const rest = x.shape.slice(1);
    const begin = this.constant([start, ...rest.map(() => 0)]);
    return this.call('Slice', [x, begin, this.constant([length, ...rest])]);
  }

  concat(parts: readonly Native[], axis: number): Native {
    if (parts.length === 1) return parts[0]!;
    const count = { name: 'N', type: binding.TF_ATTR_INT, value: parts.length };
    const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: parts[0]!.dtype };
    return this.call('ConcatV2', [...parts, this.constant(axis)], [count, type]);
  }

  split(x: Native, sizes: readonly number[], axis: number): Native[] {
    return this.calls('SplitV', [x, this.constant(sizes), this.constant(axis)], sizes.length, splits(sizes.length));
  }

  halves(x: Native, axis: number): [Native, Native] {
    return this.calls('Split', [this.constant(axis), x], 2, splits(2)) as [Native, Native];
  }

  /** Mean, sum or maximum over the last axis, which stays with length 1. */
  reduce(op: 'Mean' | 'Sum' | 'Max', x: Native): Native {
    return this.call(op, [x, this.constant([x.shape.length - 1])], KEEP_DIMS);
  }
}

/** The native side of a tfjs tensor, which goes on owning it. */
export function nativeOf(tensor: Tensor): Native {
  const [id] = backend.getInputTensorIds([tensor]) as [number];
  return { id, shape: tensor.shape, dtype: binding.TF_FLOAT };
}
