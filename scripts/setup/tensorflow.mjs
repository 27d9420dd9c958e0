import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ASSETS, cachePaths } from './assets.mjs';
import { isNvidiaLibrary, NVIDIA_WHEELS, TENSORFLOW_CUDA } from './cuda-wheels.mjs';
import { linkTo, makeOnce } from './files.mjs';
import { SetupError } from './progress.mjs';
import { firstThatRuns, run } from './run.mjs';
import { stageOrCpu, tensorflowBuild } from './tensorflow-build.mjs';
import { fetchWheel } from './wheels.mjs';
import { extractZip } from './zip.mjs';

const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/platform/ctstring', 'xla/tsl/c/'];
const FLAGS = [
  '-std=c++17',
  '-O3',
  // For the kernels' loops: without these three they are not turned into vectors.
  '-fno-math-errno',
  '-fno-trapping-math',
  '-fopenmp-simd',
  '-fPIC',
  '-shared',
  '-DNAPI_VERSION=8',
  '-DNODE_GYP_MODULE_NAME=tfjs_binding',
  '-DBUILDING_NODE_EXTENSION',
];
const SOURCES = ['tfjs_backend.cc', 'tfjs_binding.cc'];
const OWN_DIR = fileURLToPath(new URL('kernels/', import.meta.url));
/** What else goes into the addon: ops for training, and what keeps freed memory. */
const OWN_SOURCES = ['keep_memory', 'op', 'elementwise', 'rms_norm', 'rms_prop', 'rotate', 'softmax'];

/**
 * Puts a native library under `@tensorflow/tfjs-node-gpu`: that of the tensorflow-cpu wheel (on a machine with an NVIDIA
 * device, of the CUDA wheel, unless that fails), with the package's own addon built against it; elsewhere, or where that
 * fails, the library of 2022 that the package fetches itself.
 * @param {string} root
 * @param {string} cacheDir
 * @param {import('./progress.mjs').Progress} progress
 */
export async function tensorflow(root, cacheDir, progress) {
  const packageDir = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const binding = join(packageDir, 'lib', 'napi-v8', 'tfjs_binding.node');
  const build = tensorflowBuild();
  let reason = `there is no wheel for ${process.platform}-${process.arch}`;
  if (process.platform === 'linux' && process.arch === 'x64') {
    try {
      const from = (/** @type {'cpu' | 'cuda'} */ kind) =>
        fromWheel(kind, root, packageDir, binding, cacheDir, progress);
      const { staged, without } = await stageOrCpu(build, from);
      return without === undefined ? staged : `${staged}: for the CPU, because that for CUDA failed: ${without}`;
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      reason = error.message;
    }
  }
  return await prebuilt(packageDir, binding, reason, progress);
}

/**
 * @param {'cpu' | 'cuda'} kind
 * @param {string} root
 * @param {string} packageDir
 * @param {string} binding
 * @param {string} cacheDir
 * @param {import('./progress.mjs').Progress} progress
 */
async function fromWheel(kind, root, packageDir, binding, cacheDir, progress) {
  const cuda = kind === 'cuda';
  const dir = cuda ? cachePaths(cacheDir).tensorflowCuda : cachePaths(cacheDir).tensorflow;
  const addonDir = join(dir, `addon-${addonKey(root, packageDir)}`);
  const compiler = existsSync(addonDir) ? '' : findCompiler();
  const library = await makeOnce(cacheDir, dir, progress, async (temporary) => {
    await takeFromWheel(cuda ? TENSORFLOW_CUDA : ASSETS.tensorflow.wheel, temporary, progress);
    if (cuda) await takeNvidiaLibraries(temporary, progress);
  });
  const addon = await makeOnce(cacheDir, addonDir, progress, async (temporary) => {
    progress.now('building the addon');
    await build(compiler, root, packageDir, dir, temporary);
  });
  linkTo(join(addonDir, 'tfjs_binding.node'), binding);
  await verifyOnce(packageDir, addonDir, progress);
  return library === 'cached' && addon === 'cached' ? 'cached' : 'staged';
}

/**
 * @param {import('./wheels.mjs').Wheel} wheel
 * @param {string} dir
 * @param {import('./progress.mjs').Progress} progress
 */
async function takeFromWheel(wheel, dir, progress) {
  const file = await fetchWheel(wheel, join(dir, 'download'), progress);
  progress.now('extracting');
  await extractZip(file, (name) => destinationOf(name, dir));
  rmSync(join(dir, 'download'), { recursive: true });
  progress.now('stripping');
  const libraries = LIBRARIES.map((name) => join(dir, 'lib', name));
  if (firstThatRuns(['strip'], ['--version'])) await run('strip', ['--strip-unneeded', ...libraries]);
  symlinkSync('libtensorflow_cc.so.2', join(dir, 'lib', 'libtensorflow.so'));
  symlinkSync('libtensorflow_framework.so.2', join(dir, 'lib', 'libtensorflow_framework.so'));
}

/**
 * The CUDA build looks for them in `../nvidia/<library>/lib` beside its own folder.
 * @param {string} dir
 * @param {import('./progress.mjs').Progress} progress
 */
async function takeNvidiaLibraries(dir, progress) {
  for (const wheel of NVIDIA_WHEELS) {
    const download = join(dir, 'download');
    const file = await fetchWheel(wheel, download, progress);
    progress.now(`extracting ${wheel.name}`);
    await extractZip(file, (name) => (isNvidiaLibrary(name) ? join(dir, name) : undefined));
    rmSync(download, { recursive: true });
  }
}

/**
 * @param {string} name
 * @param {string} dir
 */
function destinationOf(name, dir) {
  const path = name.replace(/^tensorflow\//, '');
  if (LIBRARIES.includes(path)) return join(dir, 'lib', path);
  const header = path.startsWith('include/') ? path.slice('include/'.length) : '';
  return HEADERS.some((prefix) => header.startsWith(prefix)) ? join(dir, 'include', header) : undefined;
}

/**
 * @param {string} root
 * @param {string} packageDir
 */
function addonKey(root, packageDir) {
  const hash = createHash('sha256').update(FLAGS.join(' '));
  for (const source of [...sources(packageDir), join(OWN_DIR, 'op.h')]) hash.update(readFileSync(source));
  return hash
    .update(readFileSync(join(root, 'node_modules', 'node-api-headers', 'package.json')))
    .digest('hex')
    .slice(0, 12);
}

/** @param {string} packageDir */
function sources(packageDir) {
  const own = OWN_SOURCES.map((name) => join(OWN_DIR, `${name}.cc`));
  return [...SOURCES.map((source) => join(packageDir, 'binding', source)), ...own];
}

/** Asked before the download, which would be in vain. */
function findCompiler() {
  const compiler = firstThatRuns([process.env.CXX ?? 'g++', 'clang++'], ['--version']);
  if (compiler === undefined) {
    throw new SetupError(
      'a C++ compiler is missing (Debian, Ubuntu: apt-get install g++; Fedora: dnf install gcc-c++)',
    );
  }
  return compiler;
}

/**
 * The package's two source files are plain N-API: no node-gyp and no headers of Node are needed, and one binary serves every version.
 * @param {string} compiler
 * @param {string} root
 * @param {string} packageDir
 * @param {string} library
 * @param {string} dir
 */
async function build(compiler, root, packageDir, library, dir) {
  await run(compiler, [
    ...FLAGS,
    `-I${join(root, 'node_modules', 'node-api-headers', 'include')}`,
    `-I${join(library, 'include')}`,
    `-I${OWN_DIR}`,
    ...sources(packageDir),
    '-o',
    join(dir, 'tfjs_binding.node'),
    `-L${join(library, 'lib')}`,
    '-ltensorflow',
    '-ltensorflow_framework',
    // Node resolves the link in node_modules, so that the addon finds its libraries beside it in the cache.
    '-Wl,-rpath,$ORIGIN/../lib',
  ]);
}

/** Loads the package and multiplies two matrices; Node >= 23 lacks two functions that it calls. */
const VERIFY = `
const util = require('node:util');
util.isArray ??= Array.isArray;
util.isNullOrUndefined ??= (value) => value == null;
const tf = require(process.argv[1]);
const product = tf.matMul([[1, 2], [3, 4]], [[0, 1], [1, 0]]).dataSync().join();
if (product !== '2,1,4,3') throw new Error('matMul gave ' + product);
console.log(tf.getBackend(), tf.backend().binding.TF_Version);
`;

/**
 * An addon that fails is deleted, so that the next setup builds it again.
 * @param {string} packageDir
 * @param {string} addonDir
 * @param {import('./progress.mjs').Progress} progress
 */
async function verifyOnce(packageDir, addonDir, progress) {
  const stamp = join(addonDir, 'verified');
  if (existsSync(stamp)) return;
  progress.now('multiplying two matrices');
  try {
    await verify(packageDir);
    writeFileSync(stamp, '');
  } catch (error) {
    rmSync(addonDir, { recursive: true });
    throw error;
  }
}

/** @param {string} packageDir */
async function verify(packageDir) {
  await run(process.execPath, ['-e', VERIFY, packageDir], { cwd: packageDir });
}

/**
 * The package's own way: a host that many networks cannot reach serves its library and addon.
 * @param {string} packageDir
 * @param {string} binding
 * @param {string} reason why it has to be this way
 * @param {import('./progress.mjs').Progress} progress
 */
async function prebuilt(packageDir, binding, reason, progress) {
  const stamp = join(packageDir, 'lib', '.driftloop-prebuilt');
  if (existsSync(stamp) && existsSync(binding)) return 'cached: prebuilt library of the package';
  try {
    progress.now("fetching the package's own library");
    rmSync(binding, { force: true });
    const path = `${join(packageDir, '..', '..', '.bin')}:${process.env.PATH}`;
    await run(process.execPath, ['scripts/install.js', 'gpu', 'download'], {
      cwd: packageDir,
      env: { ...process.env, PATH: path },
    });
    await verify(packageDir);
    mkdirSync(join(packageDir, 'lib'), { recursive: true });
    writeFileSync(stamp, '');
    return `prebuilt library of the package, because ${reason}`;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SetupError(
      `Native TensorFlow cannot be set up.\n  From the wheel: ${reason}\n  From the package's own host: ${message}`,
    );
  }
}
