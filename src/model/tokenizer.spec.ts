import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeTinyTokenizer } from '../../test/factories/tiny-model.js';
import { portablePreTokenizer } from './pre-tokenizer.js';
import { Tokenizer } from './tokenizer.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'driftloop-tokenizer-'));
  writeTinyTokenizer(dir);
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('the tokenizer', () => {
  test.each(['', 'plain', ' 12٣½ \u0085\ufeff\u2028 x', '日本語 😀', '\u0000\u0001', '<|im_start|>user\nhi<|im_end|>'])(
    'gives %j back',
    (text) => {
      const tokenizer = Tokenizer.load(dir);
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    },
  );

  test('reads a lone surrogate as the replacement character', () => {
    const tokenizer = Tokenizer.load(dir);
    expect(tokenizer.encode('a\ud800b')).toEqual(tokenizer.encode('a\ufffdb'));
  });

  test('leaves special tokens out when asked, and ids that the vocabulary lacks always', () => {
    const tokenizer = Tokenizer.load(dir);
    const ids = [...tokenizer.encode('<|im_start|>hi<|im_end|>'), 5000];
    expect(tokenizer.decode(ids)).toBe('<|im_start|>hi<|im_end|>');
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe('hi');
    expect(tokenizer.decode([5000])).toBe('');
  });

  test('writes a conversation by the template, up to where the assistant begins, and ends a completion by EOS', () => {
    const tokenizer = Tokenizer.load(dir);
    const messages = [{ role: 'user', content: 'hi' }];
    expect(tokenizer.renderChat(messages)).toBe('<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n');
    expect(tokenizer.renderChat(messages, { addGenerationPrompt: false })).toBe('<|im_start|>user\nhi<|im_end|>\n');
    expect(tokenizer.encodeCompletion('yo')).toEqual([...tokenizer.encode('yo'), 2]);
  });

  test('knows all ids that end a reply, the tokenizer’s own first', () => {
    writeFileSync(join(dir, 'generation_config.json'), JSON.stringify({ eos_token_id: [0, 2] }));
    expect(Tokenizer.load(dir).eosIds).toEqual([2, 0]);
  });

  test('reads a template from the configuration, where older models have it', () => {
    rmSync(join(dir, 'chat_template.jinja'));
    const config = JSON.parse(readFileSync(join(dir, 'tokenizer_config.json'), 'utf8'));
    const write = (chatTemplate: unknown) =>
      writeFileSync(join(dir, 'tokenizer_config.json'), JSON.stringify({ ...config, chat_template: chatTemplate }));
    write('{{ messages[0].content }}{{ eos_token }}');
    expect(Tokenizer.load(dir).renderChat([{ role: 'user', content: 'x' }])).toBe('x<|im_end|>');
    write([{ name: 'default', template: 'named' }]);
    expect(Tokenizer.load(dir).renderChat([])).toBe('named');
    write(undefined);
    expect(() => Tokenizer.load(dir).renderChat([])).toThrow(/no chat template/);
  });

  test('names a file that is missing or broken', () => {
    writeFileSync(join(dir, 'tokenizer.json'), '{');
    expect(() => Tokenizer.load(dir)).toThrow(
      expect.objectContaining({ code: 'model-invalid', message: expect.stringMatching(/tokenizer\.json/) }),
    );
    rmSync(join(dir, 'tokenizer.json'));
    expect(() => Tokenizer.load(dir)).toThrow(/tokenizer\.json is missing/);
  });
});

test('splits every kind of digit, and whitespace as Unicode has it, where the library does not', () => {
  const split = { type: 'Split', behavior: 'Isolated', invert: false };
  expect(portablePreTokenizer({ type: 'Digits', individual_digits: true })).toEqual({
    ...split,
    pattern: { Regex: '\\p{N}' },
  });
  expect(portablePreTokenizer({ type: 'Digits', individual_digits: false })).toMatchObject({
    pattern: { Regex: '\\p{N}+' },
  });
  const nested = { type: 'Sequence', pretokenizers: [{ type: 'ByteLevel', add_prefix_space: false, use_regex: true }] };
  expect(JSON.stringify(portablePreTokenizer(nested))).toContain('White_Space');
  const untouched = { type: 'Metaspace', replacement: '_' };
  expect(portablePreTokenizer(untouched)).toBe(untouched);
});
