import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeTinyModel } from '../../../test/factories/tiny-model.js';
import { Tokenizer } from '../../model/tokenizer.js';
import { readPreferenceRecords } from './preference-records.js';
import { readScoreRecords } from './score-records.js';
import { RecordEncoder } from './tokens.js';

const EOS = 2;
let root: string;
let encoder: RecordEncoder;
let tokenizer: Tokenizer;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'driftloop-records-'));
  writeTinyModel(root);
  encoder = new RecordEncoder(root);
  tokenizer = Tokenizer.load(root);
});
afterAll(() => rmSync(root, { recursive: true }));

function file(...lines: (string | object)[]): string {
  const path = join(root, 'records.jsonl');
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return path;
}

const USER = [{ role: 'user', content: 'hi' }];

describe('what `score` reads', () => {
  test('takes ids as they are, and puts one EOS after text', () => {
    const ids = { prompt_ids: [1, 5], completion_ids: [7] };
    const records = readScoreRecords(file(ids, '', { messages: USER, completion: 'yo', id: 4 }), encoder);
    expect(records).toEqual([
      { promptIds: [1, 5], completionIds: [7], raw: ids },
      {
        promptIds: tokenizer.encodeChat(USER),
        completionIds: [...tokenizer.encode('yo'), EOS],
        raw: { messages: USER, completion: 'yo', id: 4 },
      },
    ]);
  });

  test('lets ids win over text', () => {
    const both = { prompt_ids: [1], completion_ids: [7], messages: USER, completion: 'yo' };
    expect(readScoreRecords(file(both), encoder)[0]).toMatchObject({ promptIds: [1], completionIds: [7] });
  });

  test.each([
    ['{"prompt_ids": [1', /records\.jsonl:2: not JSON/],
    [{ prompt_ids: [1] }, /:2: expected completion_ids or completion/],
    [{ completion_ids: [1] }, /:2: expected prompt_ids or messages/],
    [{ prompt_ids: [], completion_ids: [1] }, /:2: prompt_ids/],
    [{ prompt_ids: ['a'], completion_ids: [1] }, /:2: prompt_ids\.0/],
    [{ prompt_ids: [1], completion_ids: [260] }, /:2: Token id 260 is not in the model's vocabulary of 260/],
    [{ prompt_ids: new Array(4096).fill(1), completion_ids: [2] }, /:2: Prompt and completion have 4097 tokens/],
    ['[1]', /:2: /],
  ])('names the line of what it cannot use: %j', (line, message) => {
    const path = file({ prompt_ids: [1], completion_ids: [7] }, line);
    const expected = { code: 'record-invalid', message: expect.stringMatching(message) };
    expect(() => readScoreRecords(path, encoder)).toThrow(expect.objectContaining(expected));
  });

  test('says when the file is not there', () => {
    expect(() => readScoreRecords(join(root, 'none'), encoder)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('what `dpo` reads', () => {
  const chosenIds = () => [...tokenizer.encode('good'), EOS];
  const rejectedIds = () => [...tokenizer.encode('bad'), EOS];

  test('takes TRL’s plain form, without the chat template', () => {
    const records = readPreferenceRecords(file({ prompt: 'hi', chosen: 'good', rejected: 'bad' }), encoder);
    expect(records).toEqual([
      { promptIds: tokenizer.encode('hi'), chosenIds: chosenIds(), rejectedIds: rejectedIds() },
    ]);
  });

  test('takes TRL’s conversational form, by the chat template', () => {
    const reply = (content: string) => [{ role: 'assistant', content }];
    const record = { prompt: USER, chosen: reply('good'), rejected: reply('bad') };
    expect(readPreferenceRecords(file(record), encoder)).toEqual([
      { promptIds: tokenizer.encodeChat(USER), chosenIds: chosenIds(), rejectedIds: rejectedIds() },
    ]);
  });

  test('takes ids, which win and get no EOS', () => {
    const ids = { prompt_ids: [1], chosen_ids: [5], rejected_ids: [6] };
    expect(readPreferenceRecords(file({ ...ids, prompt: 'hi', chosen: 'good' }), encoder)).toEqual([
      { promptIds: [1], chosenIds: [5], rejectedIds: [6] },
    ]);
  });

  test.each([
    [{ prompt: 'hi', chosen: 'good' }, /:1: expected rejected_ids or rejected/],
    [{ prompt: [], chosen: 'good', rejected: 'bad' }, /:1: prompt/],
    [{ prompt: 'hi', chosen: [{ role: 'user', content: 'x' }], rejected: 'bad' }, /:1: chosen/],
    [{ prompt_ids: [1], chosen_ids: [5], rejected_ids: [300] }, /:1: Token id 300/],
  ])('names the line of what it cannot use: %j', (line, message) => {
    expect(() => readPreferenceRecords(file(line), encoder)).toThrow(message);
  });
});
