import validator from 'validator';
import { allMatches } from '../all-matches.js';
import type { Span } from '../span.js';

/** Digits that stand alone, or in groups of one separator; a longer identifier is not taken apart. */
const CANDIDATE =
  /(?<![\w.,/$€£#-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5})(?![\w/-]|[.,]\d)/g;

/** Card numbers: the issuer's prefix and length, and the check digit (Luhn), as `validator` knows them. */
export function findCards(text: string): Span[] {
  const spans: Span[] = [];
  for (const { 0: match, index } of allMatches(text, CANDIDATE)) {
    if (validator.isCreditCard(match)) spans.push({ start: index, end: index + match.length });
  }
  return spans;
}
