import type { Scalar } from '@tensorflow/tfjs';
import type { Decoder } from '../../src/model/decoder.js';
import { type Tensor, tf } from '../../src/model/tf.js';
import { EMBEDDING, FINAL_NORM, outputName } from '../../src/model/weights.js';
import type { DpoSettings, ReferencedPair } from '../../src/training/engine/training-engine.js';

/**
 * DPO by the plainest way, to compare with: every sequence alone, one position table, automatic differentiation, and
 * torch's RMSprop written out. Nothing of the engine's arithmetic is used.
 */
export class PlainDpo {
  readonly weights: Map<string, Tensor>;
  private readonly squares = new Map<string, Tensor>();

  constructor(private readonly decoder: Decoder) {
    this.weights = new Map(
      [...decoder.weights].map(([name, weight]) => [
        name,
        tf.tensor(weight.dataSync<'float32'>().slice(), weight.shape),
      ]),
    );
  }

  /** One update; the batch's mean loss and rewards before it. */
  step(pairs: readonly ReferencedPair[], settings: DpoSettings) {
    return tf.tidy(() => {
      const names = [...this.weights.keys()];
      const figures = { loss: 0, chosenReward: 0, rejectedReward: 0, gradNorm: 0 };
      const loss = (...tensors: Tensor[]) =>
        this.loss(new Map(names.map((name, i) => [name, tensors[i]!])), pairs, settings, figures);
      const { value, grads } = tf.valueAndGrads(loss)([...this.weights.values()]);
      figures.loss = value.dataSync()[0]!;
      figures.gradNorm = Math.sqrt(
        grads.reduce((sum, gradient) => sum + tf.sum(tf.square(gradient)).dataSync()[0]!, 0),
      );
      const scale = Math.min(1, settings.maxGradNorm / (figures.gradNorm + 1e-6));
      for (const [i, name] of names.entries()) this.update(name, tf.mul(grads[i]!, scale), settings.learningRate);
      return figures;
    });
  }

  dispose(): void {
    tf.dispose([...this.weights.values(), ...this.squares.values()]);
  }

  private update(name: string, gradient: Tensor, learningRate: number): void {
    const before = this.squares.get(name) ?? tf.zerosLike(gradient);
    const square = tf.keep(tf.add(tf.mul(before, 0.99), tf.mul(tf.square(gradient), 0.01)));
    const weight = this.weights.get(name)!;
    const direction = tf.div(gradient, tf.add(tf.sqrt(square), 1e-8));
    this.weights.set(name, tf.keep(tf.sub(weight, tf.mul(direction, learningRate))));
    this.squares.set(name, square);
    tf.dispose([before, weight]);
  }

  private loss(
    weights: Map<string, Tensor>,
    pairs: readonly ReferencedPair[],
    { beta }: DpoSettings,
    figures: { chosenReward: number; rejectedReward: number },
  ): Scalar {
    const losses = pairs.map(({ promptIds, chosenIds, rejectedIds, reference }) => {
      const chosen = tf.mul(tf.sub(this.logps(weights, promptIds, chosenIds), reference.chosen), beta);
      const rejected = tf.mul(tf.sub(this.logps(weights, promptIds, rejectedIds), reference.rejected), beta);
      figures.chosenReward += chosen.dataSync()[0]! / pairs.length;
      figures.rejectedReward += rejected.dataSync()[0]! / pairs.length;
      return tf.softplus(tf.sub(rejected, chosen));
    });
    return tf.mean(tf.stack(losses)) as Scalar;
  }

  private logps(weights: Map<string, Tensor>, prompt: readonly number[], completion: readonly number[]): Tensor {
    const ids = [...prompt, ...completion];
    const logprobs = tf.logSoftmax(this.logits(weights, ids));
    const labels = tf.oneHot(tf.tensor1d(completion.slice(), 'int32'), logprobs.shape[1]!);
    const rows = tf.slice(logprobs, [prompt.length - 1, 0], [completion.length, -1]);
    return tf.sum(tf.mul(rows, tf.cast(labels, 'float32')));
  }

  private logits(weights: Map<string, Tensor>, ids: number[]): Tensor {
    const { config } = this.decoder;
    const get = (name: string) => weights.get(`${name}.weight`)!;
    let x: Tensor = tf.gather(weights.get(EMBEDDING)!, tf.tensor1d(ids, 'int32'));
    const norm = (y: Tensor, weight: Tensor) =>
      tf.mul(tf.div(y, tf.sqrt(tf.add(tf.mean(tf.mul(y, y), -1, true), config.rmsNormEps))), weight);
    const linear = (name: string, y: Tensor) => {
      const bias = weights.get(`${name}.bias`);
      const product = tf.matMul(y, get(name), false, true);
      return bias === undefined ? product : tf.add(product, bias);
    };
    for (let layer = 0; layer < config.layers; layer++) {
      const name = `model.layers.${layer}`;
      const n = norm(x, get(`${name}.input_layernorm`));
      const [q, k, v] = ['q', 'k', 'v'].map((part) => linear(`${name}.self_attn.${part}_proj`, n)) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      x = tf.add(x, linear(`${name}.self_attn.o_proj`, this.attention(q, k, v)));
      const m = norm(x, get(`${name}.post_attention_layernorm`));
      const gate = linear(`${name}.mlp.gate_proj`, m);
      const gated = tf.mul(tf.mul(gate, tf.sigmoid(gate)), linear(`${name}.mlp.up_proj`, m));
      x = tf.add(x, linear(`${name}.mlp.down_proj`, gated));
    }
    return tf.matMul(norm(x, weights.get(FINAL_NORM)!), weights.get(outputName(config))!, false, true);
  }

  /** Head by head, with a causal mask. */
  private attention(q: Tensor, k: Tensor, v: Tensor): Tensor {
    const { heads, kvHeads, headDim } = this.decoder.config;
    const rows = q.shape[0]!;
    const mask = tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([rows, rows]), -1, 0)), -1e9);
    const head = (x: Tensor, index: number) => tf.slice(x, [0, index * headDim], [rows, headDim]);
    const outputs = Array.from({ length: heads }, (_, index) => {
      const shared = Math.floor(index / (heads / kvHeads));
      const [query, key] = [this.rotate(head(q, index)), this.rotate(head(k, shared))];
      const scores = tf.div(tf.matMul(query, key, false, true), Math.sqrt(headDim));
      return tf.matMul(tf.softmax(tf.add(scores, mask)), head(v, shared));
    });
    return tf.concat(outputs, 1);
  }

  private rotate(x: Tensor): Tensor {
    const { headDim, ropeTheta } = this.decoder.config;
    const [rows, half] = [x.shape[0]!, headDim / 2];
    const angles = tf.buffer([rows, half]);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < half; i++) angles.set(row * ropeTheta ** (-i / half), row, i);
    }
    const [cos, sin] = [tf.cos(angles.toTensor()), tf.sin(angles.toTensor())];
    const [a, b] = [tf.slice(x, [0, 0], [rows, half]), tf.slice(x, [0, half], [rows, half])];
    return tf.concat([tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))], 1);
  }
}
