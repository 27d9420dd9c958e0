import { expect, it } from 'vitest';
import { completionBudget, longestPair, PRESET_SETTINGS, runSettingsSchema, settingsOf } from './settings.js';

it('has presets that pass their own schema', () => {
  for (const preset of Object.values(PRESET_SETTINGS)) expect(runSettingsSchema.parse(preset)).toEqual(preset);
});

it('replaces single settings of a preset and leaves out what was not given', () => {
  expect(settingsOf('quick', { iterations: 3, beta: undefined })).toEqual({ ...PRESET_SETTINGS.quick, iterations: 3 });
});

it('knows how long its pairs can be', () => {
  const lengths = (preset: 'quick' | 'default') =>
    Object.values(longestPair(PRESET_SETTINGS[preset])).map(({ length }) => length);
  expect(lengths('quick')).toEqual([384, 96, 96]);
  expect(lengths('default')).toEqual([1024, 512, 1024]);
});

it('names every setting that is wrong', () => {
  const wrong = () => settingsOf('quick', { iterations: 0, labelSmoothing: 0.6 });
  expect(wrong).toThrow(expect.objectContaining({ code: 'usage' }));
  expect(wrong).toThrow(/iterations: .*\n.*labelSmoothing: /);
  expect(() => settingsOf('quick', { promptTokens: 480 })).toThrow(/no room for a reply/);
});

it('refuses what is said of adapters where none is trained', () => {
  const lora = { loraTargets: ['q_proj' as const], loraDropout: 0.1 };
  expect(settingsOf('quick', { loraRank: 4, ...lora })).toMatchObject(lora);
  expect(() => settingsOf('quick', { loraDropout: 0.1 })).toThrow(/--lora-rank/);
  expect(() => settingsOf('quick', { loraRank: 4, loraDropout: 1 })).toThrow(/loraDropout: /);
});

it('reads the settings of runs that an earlier release began', () => {
  const { minP, repetitionPenalty, loraTargets, loraDropout, ...earlier } = PRESET_SETTINGS.quick;
  expect(runSettingsSchema.parse(earlier)).toEqual(PRESET_SETTINGS.quick);
});

it('gives both sides the same budget where samples cannot end, and the rest of the sequence where they can', () => {
  expect(completionBudget(PRESET_SETTINGS.quick, 100)).toBe(96);
  expect(completionBudget(PRESET_SETTINGS.quick, 384)).toBe(96);
  expect(completionBudget(PRESET_SETTINGS.default, 1000)).toBe(1048);
});
