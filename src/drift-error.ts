/** Every failure that Driftloop itself can name. Decide by `code`, never by the text of a message. */
export type DriftErrorCode =
  | 'config-invalid'
  | 'usage'
  | 'asset-missing'
  | 'stack-unavailable'
  | 'database-unavailable'
  | 'broker-unavailable'
  | 'record-invalid'
  | 'record-too-large'
  | 'record-refused'
  | 'not-found'
  | 'conflict'
  | 'lease-lost'
  | 'model-invalid'
  | 'engine-unavailable'
  | 'out-of-memory'
  | 'training-diverged'
  | 'judge-unavailable'
  | 'judge-over-budget'
  | 'judge-unparseable'
  | 'interrupted';

export interface DriftErrorOptions {
  /** Whether the same call may succeed later without a change of input. */
  retriable?: boolean;
  cause?: unknown;
  /** What was wrong, as fields for the log: never parsed out of the message. */
  facts?: Record<string, unknown>;
}

/** The message says what was wrong, where, and what to do about it. */
export class DriftError extends Error {
  readonly code: DriftErrorCode;
  readonly retriable: boolean;
  readonly facts: Record<string, unknown>;

  constructor(code: DriftErrorCode, message: string, options: DriftErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'DriftError';
    this.code = code;
    this.retriable = options.retriable ?? false;
    this.facts = options.facts ?? {};
  }
}
