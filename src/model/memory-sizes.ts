import { DriftError } from '../drift-error.js';
import type { ModelConfig } from './model-config.js';
import type { Dtype } from './ops.js';
import { expectedShapes, linearShapes, outputName } from './weight-shapes.js';

/** Node, TensorFlow's library and what it keeps for its kernels. */
export const BASE_BYTES = 0.7 * 2 ** 30;

/** What an allocator that serves many sizes leaves unused: measured peaks are up to so many times the sum. */
export const FRAGMENTATION = 1.25;

export const BYTES: Record<Dtype, number> = { fp32: 4, bf16: 2 };

/** Shapes [out, in] of all linear layers. */
export function linears(config: ModelConfig): [number, number][] {
  return Array.from({ length: config.layers }, (_, layer) => [...linearShapes(config, layer).values()]).flat();
}

export const weightCount = (config: ModelConfig) => sum([...expectedShapes(config).values()].map(product));
export const linearCount = (config: ModelConfig) => sum(linears(config).map(product));
/** Of the table that turns hidden states into logits. */
export const tableCount = (config: ModelConfig) => product(expectedShapes(config).get(outputName(config))!);
/** Of an adapter of all linear layers. */
export const adapterCount = (config: ModelConfig, rank: number) =>
  rank * sum(linears(config).map(([rows, columns]) => rows + columns));

export const product = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);
export const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);

/** What this process has and can get. */
export const memoryBytes = (): number => process.availableMemory() + process.memoryUsage.rss();

/** @param ways to need less */
export function outOfMemory(what: string, neededBytes: number, memory: number, ways: readonly string[]): DriftError {
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
  const problem = `${what} would take about ${gib(neededBytes)} GiB of memory at its peak, ${gib(memory)} GiB can be had`;
  const facts = { neededBytes: Math.round(neededBytes), memoryBytes: memory };
  return new DriftError('out-of-memory', `${problem}: ${ways.join(', or ')}.`, { facts });
}
