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

/** What the configuration says of it. */
export type PrivacySettings = Pick<Config, 'privacyKey' | 'stateDir' | 'redaction'>;

/** @throws DriftError `config-invalid` where there is no usable key, or no such country */
export function createPrivacy(config: PrivacySettings): Privacy {
  const { phoneCountry } = config.redaction;
  if (!isSupportedCountry(phoneCountry)) {
    throw new DriftError('config-invalid', `DRIFTLOOP_REDACT_PHONE_COUNTRY: no country is called ${phoneCountry}.`);
  }
  return { redactor: new Redactor(config.redaction), pseudonyms: new Pseudonyms(privacyKey(config)) };
}
