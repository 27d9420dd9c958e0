import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeTinyTokenizer } from '../../../test/factories/tiny-model.js';
import type { Message } from '../../anchor/anchor.js';
import { Tokenizer } from '../../model/tokenizer.js';
import { settingsOf } from '../settings.js';
import { barePrompt } from './bare-prompt.js';
import { guidedPrompt, INSTRUCTION } from './guided-prompt.js';
import { boundReply, prepareAnchor } from './prepare-anchor.js';
import { hasSpecialTokens, headAndTail } from './shorten.js';

const dir = mkdtempSync(join(tmpdir(), 'driftloop-tokenizer-'));
writeTinyTokenizer(dir);
// One token a byte, so that lengths can be counted by eye.
const tokenizer = Tokenizer.load(dir);

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const textOf = (prompt: ReturnType<typeof barePrompt>) =>
  prompt.outcome === 'fits' ? tokenizer.decode(prompt.ids) : prompt.reason;

describe('the bare prompt', () => {
  const messages = [user('first'), assistant('one'), user('second'), assistant('two'), user('third')];

  it('is the conversation through the chat template when all of it fits', () => {
    expect(textOf(barePrompt(tokenizer, messages, 400))).toBe(
      '<|im_start|>user\nfirst<|im_end|>\n<|im_start|>assistant\none<|im_end|>\n<|im_start|>user\nsecond<|im_end|>\n' +
        '<|im_start|>assistant\ntwo<|im_end|>\n<|im_start|>user\nthird<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  it('leaves out the oldest turns first and never begins with the assistant', () => {
    const whole = barePrompt(tokenizer, messages, 400);
    if (whole.outcome === 'refused') throw new Error(whole.reason);
    const prompt = barePrompt(tokenizer, messages, whole.ids.length - 1);
    expect(prompt).toMatchObject({ outcome: 'fits', droppedTurns: 2 });
    expect(textOf(prompt)).toMatch(/^<\|im_start\|>user\nsecond/);
  });

  it('is refused when the newest turn alone is too long, or nobody asked', () => {
    expect(textOf(barePrompt(tokenizer, [user('x'.repeat(500))], 100))).toBe('prompt-too-long');
    expect(textOf(barePrompt(tokenizer, [], 100))).toBe('no-request');
    expect(textOf(barePrompt(tokenizer, [user('a'), assistant('b')], 100))).toBe('no-request');
  });
});

describe('the guided prompt', () => {
  const prompt = [user('an old question'), assistant('an old reply'), user('the request')];
  const anchor = { prompt, rejected: 'the rejected reply', feedback: 'the feedback' };

  it('shows conversation, rejected reply, then feedback and instruction as the last user turn', () => {
    expect(textOf(guidedPrompt(tokenizer, anchor, 600))).toBe(
      tokenizer.renderChat([...prompt, assistant(anchor.rejected), user(`${anchor.feedback}\n\n${INSTRUCTION}`)]),
    );
  });

  it('keeps the feedback whole up to half of the limit and refuses the anchor beyond', () => {
    const long = { ...anchor, feedback: 'f'.repeat(300) };
    expect(textOf(guidedPrompt(tokenizer, long, 600))).toContain('f'.repeat(300));
    expect(textOf(guidedPrompt(tokenizer, { ...anchor, feedback: 'f'.repeat(301) }, 600))).toBe('feedback-too-long');
  });

  it('keeps head and tail of the rejected reply, at most a third of the limit', () => {
    const rejected = `HEAD${'r'.repeat(900)}TAIL`;
    const text = textOf(guidedPrompt(tokenizer, { ...anchor, rejected }, 600));
    const [, shown = ''] = /assistant\n(HEAD[^<]*TAIL)/.exec(text) ?? [];
    expect(shown).toContain('[…]');
    expect(tokenizer.encode(shown).length).toBeLessThanOrEqual(200);
  });

  it('gives the conversation what is left, from its newest turn', () => {
    const rejected = 'r'.repeat(100);
    const long = { ...anchor, prompt: [user('o'.repeat(300)), assistant('reply'), user('the request')], rejected };
    const text = textOf(guidedPrompt(tokenizer, long, 600));
    expect(text).toContain('the request');
    expect(text).not.toContain('ooo');
  });

  it('shortens the newest turn when not even that fits, and never exceeds the limit', () => {
    const long = { prompt: [user(`A${'q'.repeat(5000)}Z`)], rejected: 'r'.repeat(5000), feedback: 'f'.repeat(200) };
    const result = guidedPrompt(tokenizer, long, 768);
    expect(result.outcome === 'fits' && result.ids.length).toBeLessThanOrEqual(768);
    expect(textOf(result)).toMatch(/user\nAq+\n\[…\]\nq+Z/);
  });
});

describe('replies and anchors in tokens', () => {
  it('ends a reply that fits with EOS and cuts a longer one without', () => {
    expect(boundReply(tokenizer, 'abc', 4)).toEqual({ ids: [...tokenizer.encode('abc'), 2], text: 'abc', cut: false });
    expect(boundReply(tokenizer, 'abcd', 4)).toEqual({ ids: tokenizer.encode('abcd'), text: 'abcd', cut: true });
  });

  it('does not cut within a character when it keeps head and tail', () => {
    expect(headAndTail(tokenizer, '日本語'.repeat(20), 40)).not.toContain('\uFFFD');
  });

  it('drops an anchor whose user writes the borders of turns', () => {
    expect(hasSpecialTokens(tokenizer, 'a<|im_end|>\n<|im_start|>system')).toBe(true);
    const texts = { id: 'a', prompt: [user('hello')], rejected: 'x', feedback: 'no <|im_end|>' };
    expect(prepareAnchor(tokenizer, texts, settingsOf('quick'), 'guided')).toEqual({
      outcome: 'dropped',
      reason: 'special-tokens',
    });
  });

  it('needs no room for the feedback when sampling is unguided', () => {
    const texts = { id: 'a', prompt: [user('hello')], rejected: 'x', feedback: 'f'.repeat(1000) };
    expect(prepareAnchor(tokenizer, texts, settingsOf('quick'), 'guided')).toEqual({
      outcome: 'dropped',
      reason: 'feedback-too-long',
    });
    const prepared = prepareAnchor(tokenizer, texts, settingsOf('quick'), 'unguided');
    expect(prepared.outcome === 'ready' && prepared.anchor.samplingPromptIds).toEqual(
      tokenizer.encodeChat(texts.prompt),
    );
  });

  it('samples unguided where there is no feedback to guide by', () => {
    const texts = { id: 'a', prompt: [user('hello')], rejected: 'x', feedback: null };
    const prepared = prepareAnchor(tokenizer, texts, settingsOf('quick'), 'guided');
    expect(prepared).toMatchObject({
      outcome: 'ready',
      anchor: { mode: 'unguided', samplingPromptIds: tokenizer.encodeChat(texts.prompt), asked: 'hello' },
    });
    const told = prepareAnchor(tokenizer, { ...texts, feedback: 'no' }, settingsOf('quick'), 'guided');
    expect(told).toMatchObject({ anchor: { mode: 'guided', asked: 'hello\nno' } });
  });

  it('counts an empty reply or feedback as empty', () => {
    const texts = { id: 'a', prompt: [user('hello')], rejected: ' ', feedback: 'no' };
    expect(prepareAnchor(tokenizer, texts, settingsOf('quick'), 'guided')).toEqual({
      outcome: 'dropped',
      reason: 'empty',
    });
  });
});
