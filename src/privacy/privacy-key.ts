import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';

const FILE = 'privacy.key';
const BYTES = 32;

/**
 * The secret of the keyed hashes: that of the configuration, else the one in the state directory, which is made there once
 * and readable by its owner only.
 * @throws DriftError `config-invalid` where the file holds no key
 */
export function privacyKey({ privacyKey, stateDir }: Pick<Config, 'privacyKey' | 'stateDir'>): Buffer {
  if (privacyKey !== undefined) return Buffer.from(privacyKey, 'utf8');
  const file = join(stateDir, FILE);
  const key = Buffer.from(readOrMake(file).trim(), 'base64url');
  if (key.length >= BYTES) return key;
  const message = `${file} holds no key of ${BYTES} bytes: restore it from a backup, or set DRIFTLOOP_PRIVACY_KEY.`;
  throw new DriftError('config-invalid', message, { facts: { file } });
}

function readOrMake(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  try {
    make(file);
  } catch (cause) {
    const message = `A privacy key cannot be made at ${file}: ${(cause as Error).message}. Set DRIFTLOOP_PRIVACY_KEY.`;
    throw new DriftError('config-invalid', message, { cause });
  }
  return readFileSync(file, 'utf8');
}

/** Of several processes that make it at once, one wins and the others take its key. */
function make(file: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(temporary, randomBytes(BYTES).toString('base64url'), { mode: 0o600 });
  try {
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary);
  }
}
