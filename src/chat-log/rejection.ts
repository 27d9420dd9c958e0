/** Why a record, or one turn of it, became a dead letter. */
export const REJECTION_REASONS = [
  'undecodable',
  'unknown-format',
  'unknown-schema',
  'invalid',
  'empty',
  'too-large',
  'conflict',
  'unstorable',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** Characters; the path to what was wrong may hold names from the record. */
const MAX_DETAIL = 1_000;

/** Thrown by what reads a record. The detail says where and what, and never repeats the user's text. */
export class RecordRejection extends Error {
  readonly detail: string;

  constructor(
    readonly reason: RejectionReason,
    detail: string,
  ) {
    super(`${reason}: ${detail}`);
    this.detail = detail.slice(0, MAX_DETAIL);
    this.name = 'RecordRejection';
  }
}
