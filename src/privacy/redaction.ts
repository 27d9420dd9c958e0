import { findCards } from './detectors/card.js';
import { findEmails } from './detectors/email.js';
import { findIbans } from './detectors/iban.js';
import { findIps } from './detectors/ip.js';
import { phoneDetector } from './detectors/phone.js';
import { findSecrets } from './detectors/secret.js';
import { type Found, placeBeside } from './place-beside.js';
import {
  REDACTION_KINDS,
  type RedactionCounts,
  type RedactionKind,
  type RedactionSettings,
} from './redaction-settings.js';
import type { Detector } from './span.js';

/** Puts placeholders such as `[email]` where a text is personal or secret. The same text always becomes the same. */
export class Redactor {
  private readonly detectors: { kind: RedactionKind; find: Detector }[];
  /** Those that find something where no digit is: most texts. */
  private readonly withoutDigits: typeof this.detectors;

  constructor({ kinds, phoneCountry }: RedactionSettings) {
    const detectors: Record<RedactionKind, Detector> = {
      secret: findSecrets,
      email: findEmails,
      iban: findIbans,
      card: findCards,
      ip: findIps,
      phone: phoneDetector(phoneCountry),
    };
    this.detectors = REDACTION_KINDS.filter((kind) => kinds.includes(kind)).map((kind) => ({
      kind,
      find: detectors[kind],
    }));
    this.withoutDigits = this.detectors.filter(({ kind }) => !NUMBERS.has(kind));
  }

  get isOff(): boolean {
    return this.detectors.length === 0;
  }

  /** @param counts are added to */
  text(text: string, counts: RedactionCounts): string {
    const found = this.find(text);
    if (found.length === 0) return text;
    let redacted = '';
    let at = 0;
    for (const { kind, start, end } of found) {
      redacted += `${text.slice(at, start)}[${kind}]`;
      at = end;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return redacted + text.slice(at);
  }

  /**
   * The same for all strings of a JSON value, names of fields included, and for numbers that are one of the kinds (a card
   * number), which become strings. What is not changed stays the same object.
   */
  json<T>(value: T, counts: RedactionCounts): T {
    return this.anyJson(value, counts) as T;
  }

  private anyJson(value: unknown, counts: RedactionCounts): unknown {
    if (typeof value === 'string') return this.text(value, counts);
    if (typeof value === 'number') {
      const text = String(value);
      const redacted = this.text(text, counts);
      return redacted === text ? value : redacted;
    }
    if (Array.isArray(value)) {
      const items = value.map((item) => this.anyJson(item, counts));
      return items.some((item, index) => item !== value[index]) ? items : value;
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const redacted = entries.map(([name, item]) => [this.text(name, counts), this.anyJson(item, counts)] as const);
    const changed = redacted.some(([name, item], index) => name !== entries[index]![0] || item !== entries[index]![1]);
    return changed ? Object.fromEntries(redacted) : value;
  }

  /** Without overlaps, in the order of the text; a kind that comes first keeps its place. */
  find(text: string): Found[] {
    if (text.length < SHORTEST) return [];
    const detectors = DIGIT.test(text) ? this.detectors : this.withoutDigits;
    return detectors.reduce<Found[]>((before, { kind, find }) => placeBeside(before, kind, find(text)), []);
  }
}

/** No kind is shorter. */
const SHORTEST = 5;
const DIGIT = /\d/;
/** The kinds that have a digit in any case; an IPv6 address may have none. */
const NUMBERS = new Set<RedactionKind>(['iban', 'card', 'phone']);
