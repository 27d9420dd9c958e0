import { isIPv4, isIPv6 } from 'node:net';
import type { Span } from '../span.js';

const IPV4 = /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g;
const IPV6 = /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3}|(?<=:):?)(?![\w:])/gi;
/** A part of every address, quickly looked for: each begins with a mark. */
const DOTS = /\.\d{1,3}\.\d/;
const COLONS = /:[0-9a-f]{0,4}:/i;
/** What stands before a number of a version: `v`, `version`, `Chrome/`. */
const VERSION_BEFORE =
  /(?:\bv(?:er(?:sions?)?)?\.?(?: is| was)?|\b(?:release|build|firmware|revision|section|chapter)|[a-z]\/|\([<>=~]{1,2})[\s:=#]{0,3}$/i;
const HEADING = /^[ \t]+\p{L}/u;
/** Loopback, unspecified and masks belong to nobody. */
const NOBODY = /^(?:127\.|0\.0\.0\.0$|255\.)/;
/** Fewer are rather `a::b` of a program. */
const FEWEST_HEX_DIGITS = 6;

/** IPv4 and IPv6 addresses as Node reads them. Loopback, masks, and what stands as a version or heading are left alone. */
export function findIps(text: string): Span[] {
  const dotted = DOTS.test(text) ? [...text.matchAll(IPV4)] : [];
  const v4 = dotted.filter(({ 0: match, index }) => isAddress(match) && !isVersion(text, match, index));
  const v6 = COLONS.test(text) ? [...text.matchAll(IPV6)].filter(({ 0: match }) => isLongIPv6(match)) : [];
  const spans = [...v4, ...v6].map(({ 0: match, index }) => ({ start: index, end: index + match.length }));
  return v6.length > 0 ? spans.sort((a, b) => a.start - b.start) : spans;
}

const isAddress = (match: string) => isIPv4(match) && !NOBODY.test(match);

function isVersion(text: string, match: string, index: number): boolean {
  if (VERSION_BEFORE.test(text.slice(Math.max(0, index - 16), index))) return true;
  const small = match.split('.').every((octet) => Number(octet) < 20);
  return (
    small &&
    (index === 0 || text[index - 1] === '\n') &&
    HEADING.test(text.slice(index + match.length, index + match.length + 8))
  );
}

function isLongIPv6(match: string): boolean {
  return isIPv6(match) && match.replace(/[^0-9a-f]/gi, '').length >= FEWEST_HEX_DIGITS;
}
