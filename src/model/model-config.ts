import { join } from 'node:path';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';
import { readJson } from './json-file.js';

const ARCHITECTURES = ['LlamaForCausalLM', 'Qwen2ForCausalLM'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** How RoPE's frequencies are lowered for contexts longer than those of the first training. */
export type RopeScaling =
  | { type: 'linear'; factor: number }
  | {
      type: 'llama3';
      factor: number;
      lowFrequencyFactor: number;
      highFrequencyFactor: number;
      originalMaxPositions: number;
    };

/** What the forward pass needs to know of `config.json`. */
export interface ModelConfig {
  architecture: Architecture;
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  /** Key and value heads; `heads / kvHeads` query heads share one. */
  kvHeads: number;
  headDim: number;
  rmsNormEps: number;
  ropeTheta: number;
  ropeScaling: RopeScaling | null;
  /** The output layer is the embedding table. */
  tiedEmbeddings: boolean;
  /** q, k and v projections have a bias. */
  qkvBias: boolean;
  /** So has the attention's output projection (Llama's `attention_bias`). */
  outputBias: boolean;
  maxPositions: number;
}

const ropeSchema = z.looseObject({
  rope_theta: z.number().optional(),
  rope_type: z.string().optional(),
  type: z.string().optional(),
  partial_rotary_factor: z.literal(1).optional(),
});
const linearSchema = z.looseObject({ factor: z.number().positive() });
const llama3Schema = linearSchema.extend({
  low_freq_factor: z.number().positive(),
  high_freq_factor: z.number().positive(),
  original_max_position_embeddings: z.int().positive(),
});
const schema = z.looseObject({
  architectures: z.array(z.string()).min(1),
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  intermediate_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_key_value_heads: z.int().positive().nullish(),
  head_dim: z.int().positive().nullish(),
  hidden_act: z.literal('silu').default('silu'),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  rope_parameters: ropeSchema.nullish(),
  rope_scaling: ropeSchema.nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.literal(false).default(false),
  partial_rotary_factor: z.literal(1).nullish(),
  use_sliding_window: z.literal(false).default(false),
  max_position_embeddings: z.int().positive().default(2048),
});

/**
 * Reads `config.json` of a Llama or Qwen2 model.
 * @throws DriftError `model-invalid` that names an unknown architecture or what else cannot be computed here.
 */
export function readModelConfig(dir: string): ModelConfig {
  const file = join(dir, 'config.json');
  const config = readJson(file, schema);
  const architecture = ARCHITECTURES.find((known) => config.architectures.includes(known));
  if (architecture === undefined) {
    throw new DriftError(
      'model-invalid',
      `${file}: the architecture ${config.architectures} is unknown; known are ${ARCHITECTURES.join(' and ')}.`,
    );
  }
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0) {
    throw new DriftError('model-invalid', `${file}: ${heads} attention heads cannot share ${kvHeads} key/value heads.`);
  }
  return {
    architecture,
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads,
    headDim: config.head_dim ?? config.hidden_size / heads,
    rmsNormEps: config.rms_norm_eps,
    ropeTheta: config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000,
    ropeScaling: ropeScaling(file, config),
    tiedEmbeddings: config.tie_word_embeddings,
    qkvBias: architecture === 'Qwen2ForCausalLM' || config.attention_bias,
    outputBias: architecture === 'LlamaForCausalLM' && config.attention_bias,
    maxPositions: config.max_position_embeddings,
  };
}

/** Transformers 5 writes `rope_parameters`, older versions `rope_theta` and `rope_scaling`. */
function ropeScaling(file: string, config: z.output<typeof schema>): RopeScaling | null {
  const scaling = config.rope_parameters ?? config.rope_scaling;
  const type = scaling?.rope_type ?? scaling?.type ?? 'default';
  if (type === 'default') return null;
  if (type === 'linear') return { type, factor: parsed(file, linearSchema, scaling).factor };
  if (type !== 'llama3')
    throw new DriftError('model-invalid', `${file}: RoPE scaling of type ${type} is not supported.`);
  const llama3 = parsed(file, llama3Schema, scaling);
  return {
    type,
    factor: llama3.factor,
    lowFrequencyFactor: llama3.low_freq_factor,
    highFrequencyFactor: llama3.high_freq_factor,
    originalMaxPositions: llama3.original_max_position_embeddings,
  };
}

function parsed<T>(file: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new DriftError('model-invalid', `${file}: RoPE scaling: ${problems.join('; ')}`);
}
