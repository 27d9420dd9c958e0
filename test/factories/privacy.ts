import type { Privacy } from '../../src/privacy/privacy.js';
import { Pseudonyms } from '../../src/privacy/pseudonyms.js';
import { Redactor } from '../../src/privacy/redaction.js';
import { REDACTION_KINDS, type RedactionKind } from '../../src/privacy/redaction-settings.js';

/** Everything on, with a key that every test has. */
export function testPrivacy(kinds: readonly RedactionKind[] = REDACTION_KINDS): Privacy {
  return {
    redactor: new Redactor({ kinds, phoneCountry: 'US' }),
    pseudonyms: new Pseudonyms(Buffer.from('the key of all tests')),
  };
}
