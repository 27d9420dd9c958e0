import type { backend_util, KernelBackend, TensorInfo } from '@tensorflow/tfjs';
import { type Tensor, tf } from './tf.js';

export interface OpAttribute {
  name: string;
  type: number;
  value: boolean | number | string | readonly number[];
}

/** What tfjs-node's backend does beyond the portable interface: any TensorFlow op, by its name. */
interface NativeBackend extends KernelBackend {
  binding: {
    TF_FLOAT: number;
    TF_INT32: number;
    TF_ATTR_TYPE: number;
    TF_ATTR_BOOL: number;
    TF_ATTR_INT: number;
    TF_ATTR_FLOAT: number;
    TF_ATTR_STRING: number;
    TF_ATTR_SHAPE: number;
    executeOp(
      name: string,
      attributes: readonly OpAttribute[],
      inputs: readonly number[],
      outputs: number,
    ): NativeTensor[];
    createTensor(shape: number[], dtype: number, values: backend_util.BackendValues): number;
    deleteTensor(id: number): void;
    getNumOfTensors(): number;
    isUsingGpuDevice(): boolean;
    TF_Version: string;
    tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  };
  tensorMap: {
    get(dataId: object): NativeTensor;
    set(dataId: object, tensor: NativeTensor & { values: null; refCount: number }): void;
  };
  getInputTensorIds(tensors: readonly TensorInfo[]): number[];
  createOutputTensor(tensor: NativeTensor): Tensor;
}

interface NativeTensor {
  id: number;
  shape: number[];
  dtype: number;
}

export const backend = tf.backend() as NativeBackend;
const { binding } = backend;

/** TensorFlow's numbers of the dtypes used here; tfjs has no name for bfloat16. */
export const FLOAT = binding.TF_FLOAT;
export const INT32 = binding.TF_INT32;
export const BF16 = 14;

export const type = (name: string, value: number): OpAttribute => ({ name, type: binding.TF_ATTR_TYPE, value });
export const flag = (name: string, value: boolean): OpAttribute => ({ name, type: binding.TF_ATTR_BOOL, value });
export const real = (name: string, value: number): OpAttribute => ({ name, type: binding.TF_ATTR_FLOAT, value });
export const whole = (name: string, value: number): OpAttribute => ({ name, type: binding.TF_ATTR_INT, value });
export const text = (name: string, value: string): OpAttribute => ({ name, type: binding.TF_ATTR_STRING, value });
export const shape = (name: string, value: readonly number[]): OpAttribute => ({
  name,
  type: binding.TF_ATTR_SHAPE,
  value,
});

/** TensorFlow's number of a tensor's dtype. */
export const dtypeOf = (x: Tensor): number => backend.tensorMap.get(x.dataId).dtype;

/** Runs an op that has one output. */
export function execute(name: string, attributes: readonly OpAttribute[], inputs: readonly Tensor[]): Tensor {
  return outputTensor(binding.executeOp(name, attributes, backend.getInputTensorIds(inputs), 1)[0]!);
}

/** Runs an op that has several. */
export function executeAll(
  name: string,
  attributes: readonly OpAttribute[],
  inputs: readonly Tensor[],
  outputs: number,
): Tensor[] {
  return binding.executeOp(name, attributes, backend.getInputTensorIds(inputs), outputs).map(outputTensor);
}

/** Runs an op for its effect. */
export function effect(name: string, attributes: readonly OpAttribute[], inputs: readonly Tensor[]): void {
  binding.executeOp(name, attributes, backend.getInputTensorIds(inputs), 0);
}

/** The same as `execute` for an op whose last input is a list of whole numbers: a shape, a permutation, an axis. */
export function executeWithNumbers(
  name: string,
  attributes: readonly OpAttribute[],
  inputs: readonly Tensor[],
  ...numbers: (readonly number[] | number)[]
): Tensor {
  const ids = numbers.map((values) => {
    const [dims, list] = typeof values === 'number' ? [[], [values]] : [[values.length], values];
    return binding.createTensor(dims, INT32, Int32Array.from(list));
  });
  const output = binding.executeOp(name, attributes, [...backend.getInputTensorIds(inputs), ...ids], 1)[0]!;
  for (const id of ids) binding.deleteTensor(id);
  return outputTensor(output);
}

/**
 * tfjs refuses a bfloat16 output. Named 'string', it is a handle like any other, which scopes count and free, and whose
 * values tfjs does not look at.
 */
function outputTensor(output: NativeTensor): Tensor {
  if (output.dtype !== BF16) return backend.createOutputTensor(output);
  const dataId = {};
  backend.tensorMap.set(dataId, { ...output, values: null, refCount: 1 });
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape: output.shape, dtype: 'string' });
}

/**
 * Negative log-probability of each label, and the gradient of their sum with respect to the logits, in one pass.
 * @param logits [rows, vocab]
 * @param labels [rows], int32
 */
export function sparseCrossEntropy(logits: Tensor, labels: Tensor): { losses: Tensor; gradient: Tensor } {
  const attributes = [type('T', FLOAT), type('Tlabels', INT32)];
  const [losses, gradient] = executeAll('SparseSoftmaxCrossEntropyWithLogits', attributes, [logits, labels], 2);
  return { losses: losses!, gradient: gradient! };
}
