import { createHmac } from 'node:crypto';
import { findEmails } from './detectors/email.js';

/** Begins a conversation id that is a hash of who sent it; it is stored as a keyed one. */
export const DERIVED_ID = 'd_';
const DERIVED = /^d_[0-9a-f]{64}$/;

const USER_ID = /^u_[0-9a-f]{32}$/;
/** A phone number with `+`, as messengers name their conversations. */
const PHONE = /\+\d{7,15}(?!\d)/;

/** Whether a stored conversation id stands for another one. */
export const isHashedConversation = (id: string) => /^c_[0-9a-f]{32}$/.test(id);

/**
 * Names that say nothing without the key: the same key gives the same name for the same id. Without it they cannot be
 * guessed by hashing all phone numbers.
 */
export class Pseudonyms {
  constructor(private readonly key: Buffer) {}

  /** HMAC-SHA-256 in hex; `purpose` keeps hashes of different things apart. */
  hash(purpose: string, text: string): string {
    return createHmac('sha256', this.key).update(`${purpose}\0${text}`).digest('hex');
  }

  /** What is stored instead of a user's id: `u_` and 128 bits in hex. One that is such a name already stays. */
  userId(id: string): string {
    return USER_ID.test(id) ? id : `u_${this.hash('user', id).slice(0, 32)}`;
  }

  /** A conversation's id as it came, unless it is itself personal (an e-mail address, a phone number, a hash of who sent it): then `c_` and a keyed hash. */
  conversationId(id: string): string {
    const personal = (id.includes('@') && findEmails(id).length > 0) || PHONE.test(id) || DERIVED.test(id);
    return personal ? `c_${this.hash('conversation', id).slice(0, 32)}` : id;
  }
}
