import { isIPv4 } from 'node:net';
import { type CountryCode, findPhoneNumbersInText, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { allMatches } from '../all-matches.js';
import type { Detector, Span } from '../span.js';

/** Digits with the single marks that people put between them. */
const CANDIDATE =
  /(?<![\p{L}\p{N}_.,+\-/@#$€£]|\d:)(?:\+ ?)?\(?\d(?:(?:[ \u00a0.\-/]|[ \u00a0.-]?\(|\)[ \u00a0.\-/]?)?\d){6,16}(?![\p{L}\p{N}_@%€$]|[.\-/:,]\d)/gu;
const FEWEST_DIGITS = 7;
const MOST_DIGITS = 15;
/** The label that makes a bare number a phone number. */
const LABEL =
  /\b(?:phone|telephone|tel|mobile|cell|fax|whatsapp|sms|text|call|ring|dial|reach|numéro|hotline|telefon|handy|téléphone|móvil|teléfono)s?(?:[ \t]*(?:number|no|nr|me|us|him|her|them|is|at|on|:|\.|#|=|=>|-|nummer|numéro|["'])){0,5}[ \t]*$/i;
const LABEL_REACH = 40;
/** North America's 3-3-4, which fictional numbers have too. */
const NANP = /^(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}$/;
const DATE =
  /(?<!\d)(?:19|20)\d\d[.\-/ ]\d{1,2}[.\-/ ]\d{1,2}(?!\d)|(?<!\d)\d{1,2}[.\-/](?:\d{1,2}[.\-/])?(?:19|20)\d\d(?!\d)/;

/**
 * Phone numbers as libphonenumber reads them: with `+` those of every country, else those of one country where they are
 * written in groups. Digits in one piece need a label before them, such as `phone:`.
 */
export function phoneDetector(country: CountryCode): Detector {
  return (text) => {
    const spans: Span[] = [];
    for (const { 0: match, index } of allMatches(text, CANDIDATE)) {
      const found = numberIn(match, text.slice(Math.max(0, index - LABEL_REACH), index), country);
      if (found) spans.push({ start: index + found.start, end: index + found.end });
    }
    return spans;
  };
}

function numberIn(match: string, before: string, country: CountryCode): Span | undefined {
  const digits = match.replace(/\D/g, '').length;
  if (digits < FEWEST_DIGITS || digits > MOST_DIGITS || DATE.test(match) || isIPv4(match)) return undefined;
  const whole = { start: match.startsWith('(') && !match.includes(')') ? 1 : 0, end: match.length };
  if (LABEL.test(before)) return whole;
  if (match.startsWith('+')) return isInternational(match) ? whole : undefined;
  const bare = match.slice(whole.start);
  if (NANP.test(bare)) return whole;
  return isGrouped(bare) && findPhoneNumbersInText(bare, country).length > 0 ? whole : undefined;
}

const isInternational = (match: string) =>
  !/^\+ ?\d+\.\d+$/.test(match) && parsePhoneNumberFromString(match)?.isPossible() === true;

/** Three groups of two digits or more; with dots only it is rather a version or a decimal. */
function isGrouped(number: string): boolean {
  const groups = number.split(/\D+/).filter((group) => group !== '');
  return groups.length >= 3 && groups.every((group) => group.length >= 2) && !/^[\d.]+$/.test(number);
}
