import { describe, expect, it } from 'vitest';
import { Pseudonyms } from './pseudonyms.js';

const names = new Pseudonyms(Buffer.from('a key'));

describe('pseudonyms', () => {
  it('are the same for the same id and key, and others for another key', () => {
    expect(names.userId('alice')).toMatch(/^u_[0-9a-f]{32}$/);
    expect(names.userId('alice')).toBe(new Pseudonyms(Buffer.from('a key')).userId('alice'));
    expect(names.userId('alice')).not.toBe(new Pseudonyms(Buffer.from('another')).userId('alice'));
  });

  it('are kept where an id is one already, as in a dead letter that is sent again', () => {
    expect(names.userId(names.userId('alice'))).toBe(names.userId('alice'));
    const personal = names.conversationId('alice@example.com');
    expect(names.conversationId(personal)).toBe(personal);
  });

  it('replace a conversation id that is personal, and no other', () => {
    expect(names.conversationId('alice@example.com/7')).toMatch(/^c_/);
    expect(names.conversationId('whatsapp:+14155552671')).toMatch(/^c_/);
    expect(names.conversationId(`d_${'0'.repeat(64)}`)).toMatch(/^c_/);
    expect(names.conversationId('J410gdS')).toBe('J410gdS');
    expect(names.conversationId('14155552671')).toBe('14155552671');
  });

  it('tell purposes apart', () => {
    expect(names.hash('user', 'x')).not.toBe(names.hash('content', 'x'));
  });
});
