import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type MarkedText, measureRedaction } from './measure-redaction.js';
import { Redactor } from './redaction.js';
import { REDACTION_KINDS } from './redaction-settings.js';

/** What docs/privacy.md states. */
const FLOORS = {
  secret: { precision: 0.98, recall: 0.88 },
  email: { precision: 0.99, recall: 0.99 },
  iban: { precision: 1, recall: 0.99 },
  card: { precision: 0.99, recall: 0.99 },
  ip: { precision: 0.97, recall: 0.97 },
  phone: { precision: 0.98, recall: 0.89 },
};

it('finds what is marked in the synthetic set, and little else', () => {
  const lines = readFileSync(new URL('../../data/redaction/set.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  const texts = lines.map((line) => JSON.parse(line) as MarkedText);
  const figures = measureRedaction(new Redactor({ kinds: REDACTION_KINDS, phoneCountry: 'US' }), texts);
  for (const kind of REDACTION_KINDS) {
    expect(figures[kind].precision, `precision of ${kind}`).toBeGreaterThanOrEqual(FLOORS[kind].precision);
    expect(figures[kind].recall, `recall of ${kind}`).toBeGreaterThanOrEqual(FLOORS[kind].recall);
  }
});
