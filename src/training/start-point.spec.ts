import type { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { LORA_TARGETS } from './engine/training-engine.js';
import { settingsOf } from './settings.js';
import { startOf } from './start-point.js';

/** Of the base model: no version has to be looked up. */
const startWith = (overrides: Parameters<typeof settingsOf>[1]) =>
  startOf({} as DataSource, null, '/base', settingsOf('quick', { seed: 7, ...overrides }));

it('starts from the base model itself, or with fresh adapters of the layers and dropout that were asked for', async () => {
  expect(await startWith({})).toEqual({ dir: '/base' });
  const all = { rank: 4, alpha: 8, targets: LORA_TARGETS, dropout: 0, seed: 7 };
  expect(await startWith({ loraRank: 4 })).toEqual({ dir: '/base', lora: all });
  const asked = { targets: ['q_proj' as const, 'v_proj' as const], dropout: 0.1 };
  const some = await startWith({ loraRank: 4, loraTargets: asked.targets, loraDropout: asked.dropout });
  expect(some.lora).toEqual({ ...all, ...asked });
});
