import type { ModelConfig } from '../model-config.js';
import { ropeFrequencies } from '../rope-frequencies.js';
import type { Native, NativeSession } from './native-session.js';
import { project, type SamplingLayer, type SamplingWeights } from './sampling-weights.js';

export interface SamplingModel {
  config: ModelConfig;
  weights: SamplingWeights;
  session: NativeSession;
}

/** Queries (scaled) [rows, heads, headDim], keys and values [rows, kvHeads, headDim] in; [rows, heads * headDim] out. */
export type RowsAttention = (q: Native, k: Native, v: Native, layer: number) => Native;

/** Hidden states [rows, hiddenSize] before the final norm; attention is the caller's. */
export function hiddenRows(
  model: SamplingModel,
  ids: readonly number[],
  positions: readonly number[],
  attention: RowsAttention,
): Native {
  const { session, weights, config } = model;
  return session.scope(() => {
    const rotation = rotationOf(session, positions, config);
    let x = session.gather(weights.embedding, session.ints(Int32Array.from(ids)));
    for (const [index, layer] of weights.layers.entries()) {
      const y = session.scope(() => layerRows(model, layer, x, rotation, (q, k, v) => attention(q, k, v, index)));
      session.release(x);
      x = y;
    }
    return x;
  });
}

/** Logits [rows, vocab] of hidden states. */
export function logitsOfRows({ session, weights, config }: SamplingModel, hidden: Native): Native {
  return session.scope(() => project(session, normed(session, hidden, config), weights.head, 'fp32'));
}

function layerRows(
  { session, weights: { dtype }, config }: SamplingModel,
  layer: SamplingLayer,
  x: Native,
  rotation: Rotation,
  attention: (q: Native, k: Native, v: Native) => Native,
): Native {
  const { heads, kvHeads, headDim } = config;
  const qkv = project(session, normed(session, x, config), layer.qkv, dtype);
  const [turning, v] = session.split(
    session.reshape(qkv, [-1, heads + 2 * kvHeads, headDim]),
    [heads + kvHeads, kvHeads],
    1,
  );
  const [q, k] = session.split(rotate(session, turning!, rotation), [heads, kvHeads], 1);
  const middle = session.add(x, project(session, attention(q!, k!, v!), layer.output, dtype));
  const [gate, up] = session.halves(project(session, normed(session, middle, config), layer.gateUp, dtype), 1);
  const gated = session.mul(session.mul(gate, session.call('Sigmoid', [gate])), up);
  return session.add(middle, project(session, gated, layer.down, dtype));
}

/** RMS norm without its weight, which is in the matrix behind it. */
function normed(session: NativeSession, x: Native, { rmsNormEps }: ModelConfig): Native {
  const meanSquare = session.reduce('Mean', session.call('Square', [x]));
  return session.mul(x, session.call('Rsqrt', [session.add(meanSquare, session.scalar(rmsNormEps))]));
}

/** [rows, 1, headDim / 2] */
interface Rotation {
  cos: Native;
  sin: Native;
}

function rotationOf(session: NativeSession, positions: readonly number[], config: ModelConfig): Rotation {
  const frequencies = ropeFrequencies(config);
  const half = frequencies.length;
  const angles = new Float64Array(positions.length * half);
  for (const [row, position] of positions.entries()) {
    for (let i = 0; i < half; i++) angles[row * half + i] = position * frequencies[i]!;
  }
  const shape = [positions.length, 1, half];
  return {
    cos: session.floats(Float32Array.from(angles, Math.cos), shape),
    sin: session.floats(Float32Array.from(angles, Math.sin), shape),
  };
}

function rotate(session: NativeSession, x: Native, { cos, sin }: Rotation): Native {
  const [a, b] = session.halves(x, 2);
  return session.concat(
    [session.sub(session.mul(a, cos), session.mul(b, sin)), session.add(session.mul(b, cos), session.mul(a, sin))],
    2,
  );
}
