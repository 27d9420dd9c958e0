import { isSupportedCountry } from 'libphonenumber-js/min';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';
import { privacyKey } from './privacy-key.js';
import { Pseudonyms } from './pseudonyms.js';
import { Redactor } from './redaction.js';

/** What stands between what people send and what is stored. */
export interface Privacy {
  redactor: Redactor;
  pseudonyms: Pseudonyms;
}

/** What it is made of; another thread can be sent it. */
export interface PrivacySettings {
  key: Uint8Array;
  redaction: Config['redaction'];
}

/** @throws DriftError `config-invalid` where there is no usable key */
export function privacySettings(config: Pick<Config, 'privacyKey' | 'stateDir' | 'redaction'>): PrivacySettings {
  return { key: privacyKey(config), redaction: config.redaction };
}

/** @throws DriftError `config-invalid` where there is no such country */
export function privacyOf({ key, redaction }: PrivacySettings): Privacy {
  const { phoneCountry } = redaction;
  if (!isSupportedCountry(phoneCountry)) {
    throw new DriftError('config-invalid', `DRIFTLOOP_REDACT_PHONE_COUNTRY: no country is called ${phoneCountry}.`);
  }
  return { redactor: new Redactor(redaction), pseudonyms: new Pseudonyms(Buffer.from(key)) };
}

/** @throws DriftError `config-invalid` where there is no usable key, or no such country */
export function createPrivacy(config: Pick<Config, 'privacyKey' | 'stateDir' | 'redaction'>): Privacy {
  return privacyOf(privacySettings(config));
}
