import tlds from 'tlds' with { type: 'json' };
import validator from 'validator';
import type { Span } from '../span.js';

const TLDS = new Set(tlds);
const LOCAL = /[\p{L}\p{N}._%+'-]/u;
const DOMAIN = /[\p{L}\p{N}.-]/u;
/** RFC 5321. */
const MAX_LOCAL = 64;
const MAX_DOMAIN = 255;

/** Addresses as `validator` accepts them, under a domain that exists; `git@host:path` and `name@1.2.3` are none. */
export function findEmails(text: string): Span[] {
  const spans: Span[] = [];
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const span = addressAround(text, at);
    if (span) spans.push(span);
  }
  return spans;
}

function addressAround(text: string, at: number): Span | undefined {
  let start = at;
  while (start > 0 && at - start < MAX_LOCAL && LOCAL.test(text[start - 1]!)) start--;
  while (start < at && /[.'-]/.test(text[start]!)) start++;
  let end = at + 1;
  while (end < text.length && end - at <= MAX_DOMAIN && DOMAIN.test(text[end]!)) end++;
  while (end > at && /[.-]/.test(text[end - 1]!)) end--;
  const address = text.slice(start, end);
  if (start === at || !TLDS.has(address.slice(address.lastIndexOf('.') + 1).toLowerCase())) return undefined;
  if (address.startsWith('git@') && text[end] === ':') return undefined;
  return validator.isEmail(address) ? { start, end } : undefined;
}
