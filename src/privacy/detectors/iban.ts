import { countrySpecs, isValidIBAN } from 'ibantools';
import { allMatches } from '../all-matches.js';
import type { Span } from '../span.js';

const CANDIDATE = /(?<![\p{L}\p{N}_])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9]{2})/gu;

/** IBANs of a country's own length and form whose check digits are right, in one piece or in groups. */
export function findIbans(text: string): Span[] {
  const spans: Span[] = [];
  for (const { 0: match, index } of allMatches(text, CANDIDATE)) {
    const length = countrySpecs[match.slice(0, 2).toUpperCase()]?.chars;
    const end = length ? endOf(text, index, length) : undefined;
    if (end && isValidIBAN(text.slice(index, end).replace(/[ -]/g, '').toUpperCase()))
      spans.push({ start: index, end });
  }
  return spans;
}

/** Where `length` letters and digits end, single separators between them; undefined where there are not so many, or more. */
function endOf(text: string, start: number, length: number): number | undefined {
  let end = start;
  for (let taken = 0; taken < length; end++) {
    if (/[A-Za-z0-9]/.test(text[end] ?? '')) taken++;
    else if (!/[ -]/.test(text[end] ?? '') || !/[A-Za-z0-9]/.test(text[end + 1] ?? '')) return undefined;
  }
  return /[\p{L}\p{N}_]/u.test(text[end] ?? '') ? undefined : end;
}
