import { Parser } from '@asyncapi/parser';
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, it } from 'vitest';
import { FORMATS } from '../../src/chat-log/formats/registry.js';
import { VALID_RECORDS } from '../../test/factories/records.js';
import { turnEvent } from '../../test/factories/turns.js';
import { asyncApiDoc } from './asyncapi-doc.js';
import { schemaDocs } from './json-schemas.js';

const parse = (document: string) => new Parser().parse(document);

it('is a document that the AsyncAPI parser has nothing to say about', async () => {
  const { document, diagnostics } = await parse(asyncApiDoc());
  expect(diagnostics).toEqual([]);
  expect(document!.channels().get('turns')!.messages().length).toBeGreaterThan(8);
});

it('would not pass with a mistake', async () => {
  const { diagnostics } = await parse(asyncApiDoc().replace('"action": "receive"', '"action": "listen"'));
  expect(diagnostics.map(({ path }) => path.join('.'))).toContain('operations.readTurns.action');
});

it('has JSON Schemas that take what the consumer takes, and nothing else', () => {
  const ajv = addFormats.default(new Ajv2020.default({ allowUnionTypes: true }));
  const validate = ajv.compile(JSON.parse(schemaDocs()['driftloop.turn.v1.json']!));
  expect(validate(turnEvent({ metadata: { cohort: 'a' }, feedback: { kind: 'thumbs', value: 'up' } }))).toBe(true);
  for (const wrong of [
    { turn: -1 },
    { role: 'nobody' },
    { occurredAt: 'yesterday' },
    { schema: 'driftloop.turn.v2' },
  ]) {
    expect(validate({ ...turnEvent(), ...wrong }), JSON.stringify(wrong)).toBe(false);
  }
});

it('has payloads that describe what is taken of each form', () => {
  const { messages } = JSON.parse(asyncApiDoc()).components as {
    messages: Record<string, { name: string; payload: object }>;
  };
  const ajv = addFormats.default(new Ajv.default({ allowUnionTypes: true }));
  const described = Object.values(messages).filter(({ name }) => VALID_RECORDS[name]);
  expect(described).toHaveLength(FORMATS.length);
  for (const { name, payload } of described) {
    const validate = ajv.compile(payload);
    for (const record of VALID_RECORDS[name]!) {
      // Through JSON: what is undefined is not sent.
      expect(validate(JSON.parse(JSON.stringify(record))), `${name}: ${ajv.errorsText(validate.errors)}`).toBe(true);
    }
    expect(validate('a text'), name).toBe(false);
  }
});
