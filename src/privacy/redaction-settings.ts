import type { CountryCode } from 'libphonenumber-js/min';

/** What is redacted, in the order in which kinds win where they overlap. */
export const REDACTION_KINDS = ['secret', 'email', 'iban', 'card', 'ip', 'phone'] as const;
export type RedactionKind = (typeof REDACTION_KINDS)[number];

/** How often each kind was redacted. */
export type RedactionCounts = Partial<Record<RedactionKind, number>>;

export interface RedactionSettings {
  kinds: readonly RedactionKind[];
  /** Whose phone numbers are recognised without `+`. */
  phoneCountry: CountryCode;
}
