import type { backend_util, KernelBackend, TensorInfo } from '@tensorflow/tfjs';
import { type Tensor, tf } from './tf.js';

export interface OpAttribute {
  name: string;
  type: number;
  value: boolean | number | string;
}

/** What tfjs-node's backend does beyond the portable interface: any TensorFlow op, by its name. */
interface NativeBackend extends KernelBackend {
  binding: {
    TF_FLOAT: number;
    TF_INT32: number;
    TF_ATTR_TYPE: number;
    TF_ATTR_BOOL: number;
    TF_ATTR_INT: number;
    executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): NativeTensor[];
    createTensor(shape: number[], dtype: number, values: backend_util.BackendValues): number;
    deleteTensor(id: number): void;
    getNumOfTensors(): number;
    tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  };
  executeMultipleOutputs(name: string, attributes: OpAttribute[], inputs: TensorInfo[], outputs: number): Tensor[];
  getInputTensorIds(tensors: TensorInfo[]): number[];
  createOutputTensor(tensor: NativeTensor): Tensor;
}

interface NativeTensor {
  id: number;
  shape: number[];
  dtype: number;
}

/** TensorFlow's number for bfloat16, which tfjs has no dtype for. */
const BF16 = 14;

export const backend = tf.backend() as NativeBackend;
const { binding } = backend;
const type = (name: string, value: number): OpAttribute => ({ name, type: binding.TF_ATTR_TYPE, value });
const flag = (name: string, value: boolean): OpAttribute => ({ name, type: binding.TF_ATTR_BOOL, value });

/**
 * Negative log-probability of each label, and the gradient of their sum with respect to the logits, in one pass.
 * @param logits [rows, vocab]
 * @param labels [rows], int32
 */
export function sparseCrossEntropy(logits: Tensor, labels: Tensor): { losses: Tensor; gradient: Tensor } {
  const attributes = [type('T', binding.TF_FLOAT), type('Tlabels', binding.TF_INT32)];
  const outputs = backend.executeMultipleOutputs(
    'SparseSoftmaxCrossEntropyWithLogits',
    attributes,
    [logits, labels],
    2,
  );
  return { losses: outputs[0]!, gradient: outputs[1]! };
}

/** Product of two float32 matrices, multiplied in bfloat16; the result's values are rounded to bfloat16 too. */
export function matMulBf16(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const temporary: number[] = [];
  const execute = (name: string, attributes: OpAttribute[], inputs: number[]) => {
    const output = binding.executeOp(name, attributes, inputs, 1)[0]!;
    temporary.push(output.id);
    return output;
  };
  const [left, right] = backend.getInputTensorIds([a, b]) as [number, number];
  const operands = [left, right].map((id) => execute('Cast', cast(binding.TF_FLOAT, BF16), [id]).id);
  const attributes = [type('T', BF16), flag('transpose_a', transposeA), flag('transpose_b', transposeB)];
  const product = execute('MatMul', attributes, operands);
  const output = execute('Cast', cast(BF16, binding.TF_FLOAT), [product.id]);
  temporary.pop();
  for (const id of temporary) binding.deleteTensor(id);
  return backend.createOutputTensor(output);
}

const cast = (from: number, to: number) => [type('SrcT', from), type('DstT', to), flag('Truncate', false)];
