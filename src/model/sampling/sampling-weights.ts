import type { Decoder } from '../decoder.js';
import { mergedWeight } from '../lora.js';
import type { Dtype } from '../ops.js';
import { type Tensor, tf } from '../tf.js';
import { EMBEDDING, FINAL_NORM, outputName } from '../weights.js';
import { type Native, type NativeSession, nativeOf } from './native-session.js';

/** A matrix that rows are multiplied by, in the layout that is fastest for few rows. */
export interface Projection {
  weight: Native;
  bias: Native | null;
}

export interface SamplingLayer {
  /** [hiddenSize] to queries, keys and values, one after the other. */
  qkv: Projection;
  output: Projection;
  /** To gate and up. */
  gateUp: Projection;
  down: Projection;
}

/**
 * The decoder's weights as sampling needs them: an adapter merged in, matrices that read the same input joined, the
 * norms' weights and the scale of the queries multiplied into the matrices behind them, and all of it cast once.
 */
export interface SamplingWeights {
  dtype: Dtype;
  embedding: Native;
  layers: SamplingLayer[];
  /** To the logits; always fp32, as bf16 would round them by up to 0.06. */
  head: Projection;
}

/** Part of a joined matrix. */
interface Part {
  name: string;
  scale?: number;
}

export function samplingWeights(session: NativeSession, decoder: Decoder): SamplingWeights {
  const { layers, headDim } = decoder.config;
  const { dtype } = decoder;
  const join = (parts: readonly Part[], norm?: string) => joined(session, decoder, parts, norm, dtype);
  const head = owned(session, 'fp32', () =>
    tf.mul(decoder.weights.get(outputName(decoder.config))!, decoder.weights.get(FINAL_NORM)!),
  );
  return {
    dtype,
    embedding: nativeOf(decoder.weights.get(EMBEDDING)!),
    head: { weight: head, bias: null },
    layers: Array.from({ length: layers }, (_, layer) => {
      const name = `model.layers.${layer}`;
      const attention = (part: string) => `${name}.self_attn.${part}_proj`;
      return {
        qkv: join(
          [{ name: attention('q'), scale: 1 / Math.sqrt(headDim) }, { name: attention('k') }, { name: attention('v') }],
          `${name}.input_layernorm`,
        ),
        output: join([{ name: attention('o') }]),
        gateUp: join(
          [{ name: `${name}.mlp.gate_proj` }, { name: `${name}.mlp.up_proj` }],
          `${name}.post_attention_layernorm`,
        ),
        down: join([{ name: `${name}.mlp.down_proj` }]),
      };
    }),
  };
}

function joined(
  session: NativeSession,
  decoder: Decoder,
  parts: readonly Part[],
  norm: string | undefined,
  dtype: Dtype,
): Projection {
  const weight = owned(session, dtype, () => {
    const matrix = joinScaled(parts, (name) => mergedWeight(decoder, name));
    return norm === undefined ? matrix : tf.mul(matrix, decoder.weights.get(`${norm}.weight`)!);
  });
  const biased = parts.every(({ name }) => decoder.weights.has(`${name}.bias`));
  const bias = () => joinScaled(parts, (name) => decoder.weights.get(`${name}.bias`)!);
  return { weight, bias: biased ? fromTensor(bias, (x) => session.call('Identity', [x])) : null };
}

function joinScaled(parts: readonly Part[], tensorOf: (name: string) => Tensor): Tensor {
  const scaled = parts.map(({ name, scale }) => (scale === undefined ? tensorOf(name) : tf.mul(tensorOf(name), scale)));
  return scaled.length === 1 ? scaled[0]! : tf.concat(scaled, 0);
}

/** A copy of its own: fp32 transposed to [in, out], which few rows multiply twice as fast; bf16 as it lies. */
function owned(session: NativeSession, dtype: Dtype, make: () => Tensor): Native {
  return fromTensor(make, (weight) => (dtype === 'bf16' ? session.toBf16(weight) : session.transpose(weight, [1, 0])));
}

function fromTensor(make: () => Tensor, convert: (native: Native) => Native): Native {
  let converted: Native | undefined;
  tf.tidy(() => {
    converted = convert(nativeOf(make()));
  });
  return converted!;
}

/** x [rows, in] -> [rows, out], fp32 both. */
export function project(session: NativeSession, x: Native, { weight, bias }: Projection, dtype: Dtype): Native {
  const product =
    dtype === 'bf16'
      ? session.toF32(session.matMul(session.toBf16(x), weight, { transposeB: true }))
      : session.matMul(x, weight);
  return bias === null ? product : session.add(product, bias);
}
