import { InvalidArgumentError } from 'commander';
import { LORA_TARGETS, type LoraTarget } from '../training/engine/training-engine.js';

/** Names of layers, comma-separated, in their usual order. */
export function loraTargets(text: string): LoraTarget[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !LORA_TARGETS.some((target) => target === name));
  if (unknown !== undefined) throw new InvalidArgumentError(`${unknown} is none of ${LORA_TARGETS.join(', ')}.`);
  return LORA_TARGETS.filter((target) => names.includes(target));
}
