import { describe, expect, it } from 'vitest';
import { renderContent } from './content.js';

describe('renderContent', () => {
  it('keeps no parts where text says all', () => {
    expect(renderContent('hi')).toEqual({ text: 'hi', parts: null });
    expect(
      renderContent([
        { type: 'text', text: 'a' },
        { type: 'input_text', text: 'b' },
      ]),
    ).toEqual({
      text: 'a\nb',
      parts: null,
    });
    expect(renderContent([])).toEqual({ text: '', parts: null });
  });

  it('renders what is not text to placeholders, and keeps the parts', () => {
    const parts = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'https://example.org/cat.png' } },
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
      { type: 'file', file: { filename: 'plan.pdf' } },
      { type: 'function', id: 'call_1', function: { name: 'search', arguments: '{"q":"cats"}' } },
      { type: 'tool_result', tool_call_id: 'call_1', content: [{ type: 'text', text: 'three cats' }] },
      { type: 'refusal', refusal: 'I cannot help with that.' },
      { type: 'hologram' },
    ];
    expect(renderContent(parts)).toEqual({
      text: [
        'What is this?',
        '[image]',
        '[audio]',
        '[file: plan.pdf]',
        '[tool call: search]',
        'three cats',
        'I cannot help with that.',
        '[hologram]',
      ].join('\n'),
      parts,
    });
  });

  it.each(['constructor', 'toString', '__proto__'])('takes %s for the name of a kind, as any other', (type) => {
    expect(renderContent([{ type }]).text).toBe(`[${type}]`);
  });

  it('does not trust a part that calls itself text', () => {
    expect(renderContent([{ type: 'text', text: 7 }])).toEqual({ text: '[text]', parts: [{ type: 'text', text: 7 }] });
  });
});
