import { describe, expect, it } from 'vitest';
import { isNvidiaLibrary, NVIDIA_WHEELS, TENSORFLOW_CUDA } from './cuda-wheels.mjs';
import { SetupError } from './progress.mjs';
import { stageOrCpu, tensorflowBuild } from './tensorflow-build.mjs';

describe('the build of TensorFlow', () => {
  it('is for CUDA where NVIDIA’s driver runs, and can be chosen otherwise', () => {
    const driver = (path: string) => path === '/dev/nvidiactl';
    expect(tensorflowBuild({}, () => false)).toBe('cpu');
    expect(tensorflowBuild({}, driver)).toBe('cuda');
    expect(tensorflowBuild({ DRIFTLOOP_TENSORFLOW: 'cpu' }, driver)).toBe('cpu');
    expect(tensorflowBuild({ DRIFTLOOP_TENSORFLOW: 'cuda' }, () => false)).toBe('cuda');
    expect(() => tensorflowBuild({ DRIFTLOOP_TENSORFLOW: 'gpu' }, driver)).toThrow('it can be cpu or cuda');
  });

  it('is the CPU’s where that for CUDA cannot be had, with the reason', async () => {
    const without = async (build: 'cpu' | 'cuda') => {
      if (build === 'cuda') throw new SetupError('a wheel cannot be fetched');
      return build;
    };
    expect(await stageOrCpu('cuda', without)).toEqual({ staged: 'cpu', without: 'a wheel cannot be fetched' });
    expect(await stageOrCpu('cpu', without)).toEqual({ staged: 'cpu' });
    expect(await stageOrCpu('cuda', async (build) => build)).toEqual({ staged: 'cuda' });
    const broken = stageOrCpu('cuda', () => Promise.reject(new Error('a mistake of ours')));
    await expect(broken).rejects.toThrow('a mistake of ours');
  });

  it('takes libraries out of NVIDIA’s wheels, to where TensorFlow looks for them', () => {
    expect(isNvidiaLibrary('nvidia/cublas/lib/libcublasLt.so.12')).toBe(true);
    expect(isNvidiaLibrary('nvidia/cudnn/lib/libcudnn_graph.so.9')).toBe(true);
    expect(isNvidiaLibrary('nvidia/cublas/include/cublas.h')).toBe(false);
    expect(isNvidiaLibrary('nvidia/cufft/lib/libcufft_static.a')).toBe(false);
  });

  it('pins every wheel', () => {
    const wheels = [TENSORFLOW_CUDA, ...NVIDIA_WHEELS];
    for (const { sha256, version } of wheels)
      expect([sha256, version]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^\d/)]);
    expect(new Set(wheels.map(({ name }) => name)).size).toBe(12);
  });
});
