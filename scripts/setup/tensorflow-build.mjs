import { existsSync } from 'node:fs';
import { SetupError } from './progress.mjs';

/** What the driver leaves where it runs, in a container too. */
const NVIDIA_DRIVER = ['/proc/driver/nvidia/version', '/dev/nvidiactl'];

/**
 * @template T
 * @param {'cpu' | 'cuda'} build
 * @param {(build: 'cpu' | 'cuda') => Promise<T>} stage
 * @returns {Promise<{ staged: T, without?: string }>} of the CPU where that for CUDA cannot be had, and why
 */
export async function stageOrCpu(build, stage) {
  if (build === 'cpu') return { staged: await stage('cpu') };
  try {
    return { staged: await stage('cuda') };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { staged: await stage('cpu'), without: error.message };
  }
}

/**
 * Which build of TensorFlow this machine gets: what `DRIFTLOOP_TENSORFLOW` says, else the one for its devices.
 * @param {NodeJS.ProcessEnv} env
 * @param {(path: string) => boolean} exists
 * @returns {'cpu' | 'cuda'}
 * @throws SetupError
 */
export function tensorflowBuild(env = process.env, exists = existsSync) {
  const asked = env.DRIFTLOOP_TENSORFLOW;
  if (asked === 'cpu' || asked === 'cuda') return asked;
  if (asked) throw new SetupError(`DRIFTLOOP_TENSORFLOW is ${asked}; it can be cpu or cuda`);
  return NVIDIA_DRIVER.some((path) => exists(path)) ? 'cuda' : 'cpu';
}
