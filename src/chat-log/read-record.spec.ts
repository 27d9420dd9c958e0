import { expect, it } from 'vitest';
import { testPrivacy } from '../../test/factories/privacy.js';
import { asRecord, turnEvent } from '../../test/factories/turns.js';
import { readRecord } from './read-record.js';

const message = {
  ...{ offset: '7', timestamp: '0', key: null, headers: {} },
  value: Buffer.from(String(asRecord(turnEvent()).value)),
};
const source = { topic: 'turns', partition: 0 };

it('makes a dead letter of a record that an error of its own keeps it from reading, and does not repeat its text', () => {
  const privacy = testPrivacy();
  privacy.redactor.text = (text) => {
    throw new TypeError(`no method of ${text}`);
  };
  expect(readRecord(message, source, privacy)).toEqual({
    outcome: 'rejected',
    reason: 'invalid',
    detail: 'an error of the service: TypeError',
  });
});
