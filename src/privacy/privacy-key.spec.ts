import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { privacyKey } from './privacy-key.js';

let stateDir: string;
beforeEach(() => {
  stateDir = join(mkdtempSync(join(tmpdir(), 'driftloop-key-')), 'state');
});

describe('the privacy key', () => {
  it('is that of the configuration where there is one', () => {
    expect(privacyKey({ stateDir, privacyKey: 'x'.repeat(32) })).toEqual(Buffer.from('x'.repeat(32)));
  });

  it('is made once otherwise, for its owner only', () => {
    const key = privacyKey({ stateDir });
    expect(key).toHaveLength(32);
    expect(privacyKey({ stateDir })).toEqual(key);
    expect(statSync(join(stateDir, 'privacy.key')).mode & 0o777).toBe(0o600);
  });

  it('is never replaced: a damaged file is an error', () => {
    privacyKey({ stateDir });
    writeFileSync(join(stateDir, 'privacy.key'), 'short');
    expect(() => privacyKey({ stateDir })).toThrow(expect.objectContaining({ code: 'config-invalid' }));
  });
});
