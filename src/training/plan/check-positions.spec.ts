import { expect, test } from 'vitest';
import { PRESET_SETTINGS } from '../settings.js';
import { checkPositions } from './check-positions.js';

test('refuses sequences that the model has no positions for, naming the options', () => {
  checkPositions(PRESET_SETTINGS.quick, 864);
  expect(() => checkPositions(PRESET_SETTINGS.quick, 863)).toThrow(/at most 863.*--guided-prompt-tokens.*\(864\)\.$/);
  expect(() => checkPositions(PRESET_SETTINGS.default, 2047)).toThrow(/\(2560\), --sequence-tokens \(2048\)\.$/);
});
