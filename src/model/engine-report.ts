import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { backend } from './native.js';
import { cast, type Dtype, matMul } from './ops.js';
import { type Tensor, tf } from './tf.js';

/** What the engine runs on, and how fast it multiplies. */
export interface EngineReport {
  engine: 'tfjs';
  backend: string;
  device: 'cpu' | 'gpu';
  deviceName: string;
  /** Processor threads that products are spread over. */
  threads: number;
  /** Of the native library, and of the package that calls it. */
  library: string;
  package: string;
  bf16: {
    /** Whether products in bf16 give what they should. */
    works: boolean;
    /** Whether the processor has instructions for them; without them they are slower than fp32. Null where unknown. */
    inHardware: boolean | null;
  };
  /** GFLOP a second, wall time, of square matrix products. */
  matMul: Record<Dtype, number>;
}

const CHECK_SECONDS = 1.5;
const SIZES = { cpu: 1024, gpu: 4096 };
/** bf16 keeps eight bits: 2^-8 of a product's size is what rounding its operands may cost. */
const BF16_TOLERANCE = 2 ** -7;

/** Takes about three seconds: half for each precision. */
export function engineReport(): EngineReport {
  const device = backend.binding.isUsingGpuDevice() ? 'gpu' : 'cpu';
  return {
    engine: 'tfjs',
    backend: tf.getBackend(),
    device,
    deviceName: device === 'gpu' ? gpuName() : (cpus()[0]?.model.trim() ?? 'unknown'),
    threads: availableParallelism(),
    library: backend.binding.TF_Version,
    package: `@tensorflow/tfjs-node-gpu ${tf.version['tfjs-node']}`,
    bf16: { works: bf16Works(), inHardware: bf16InHardware(device) },
    matMul: { fp32: rate('fp32', SIZES[device]), bf16: rate('bf16', SIZES[device]) },
  };
}

function bf16Works(): boolean {
  return tf.tidy(() => {
    const [a, b] = [tf.randomNormal([64, 64], 0, 1, 'float32', 1), tf.randomNormal([64, 64], 0, 1, 'float32', 2)];
    const product = cast(matMul(cast(a, 'bf16'), cast(b, 'bf16')), 'fp32');
    const worst = tf.max(tf.abs(tf.sub(product, tf.matMul(a, b)))).dataSync()[0]!;
    // A product of 64 terms of size 1 is about 8; its rounding adds to that of its operands.
    return worst < 64 * BF16_TOLERANCE;
  });
}

/** NVIDIA's tensor cores have it from Ampere on, which the driver does not tell here. */
function bf16InHardware(device: EngineReport['device']): boolean | null {
  if (device === 'gpu') return null;
  try {
    const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    return /\b(?:avx512_bf16|amx_bf16|bf16)\b/.test(flags);
  } catch {
    return null;
  }
}

/** Of each model that NVIDIA's driver has here, once; `NVIDIA` where it does not say. */
export function gpuName(gpusDir = '/proc/driver/nvidia/gpus'): string {
  try {
    const files = readdirSync(gpusDir).map((gpu) => readFileSync(join(gpusDir, gpu, 'information'), 'utf8'));
    const models = files.flatMap((text) => /^Model:\s*(\S.*?)\s*$/m.exec(text)?.[1] ?? []);
    return [...new Set(models)].join(', ') || 'NVIDIA';
  } catch {
    return 'NVIDIA';
  }
}

/** The best of many, as what disturbs only slows down. Reading a number of a product waits for it, on whatever device. */
function rate(dtype: Dtype, size: number): number {
  const [a, b] = tf.tidy(() => [0, 1].map(() => cast(tf.randomNormal([size, size]), dtype))) as [Tensor, Tensor];
  const once = () =>
    tf.tidy(() => {
      cast(matMul(a, b), 'fp32').slice([0, 0], [1, 1]).dataSync();
    });
  const startedAt = performance.now();
  let best = Number.POSITIVE_INFINITY;
  while (performance.now() - startedAt < CHECK_SECONDS * 1000) {
    const before = performance.now();
    once();
    best = Math.min(best, performance.now() - before);
  }
  tf.dispose([a, b]);
  return (2 * size ** 3) / (best * 1e6);
}
