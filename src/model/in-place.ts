import { effect, execute, FLOAT, shape, text, type } from './native.js';
import { type Tensor, tf } from './tf.js';

/** The name by which TensorFlow makes a variable that is freed with its handle. */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

const DTYPE = [type('dtype', FLOAT)];

/**
 * Takes fp32 tensors over, lets `change` run ops that update them as TensorFlow variables, and returns them as tensors
 * again, in the same memory. A tensor whose memory another one shares is copied first.
 */
export function inPlace<T extends Tensor[]>(tensors: [...T], change: (variables: Tensor[]) => void): T {
  return tf.tidy(() => {
    const variables = tensors.map(variableOf);
    change(variables);
    return variables.map((variable) => tf.keep(execute('ReadVariableOp', DTYPE, [variable]))) as T;
  });
}

function variableOf(tensor: Tensor): Tensor {
  const attributes = [...DTYPE, shape('shape', tensor.shape), text('shared_name', ANONYMOUS), text('container', '')];
  const variable = execute('VarHandleOp', attributes, []);
  effect('AssignVariableOp', DTYPE, [variable, tensor]);
  tensor.dispose();
  return variable;
}
