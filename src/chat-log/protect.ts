import type { Erasure } from '../erasure/erase-subject.js';
import type { Privacy } from '../privacy/privacy.js';
import type { RedactionCounts } from '../privacy/redaction-settings.js';
import type { RecordContents } from './formats/format.js';
import type { Turn, TurnFeedback } from './turn.js';

/**
 * What may be stored of a record: redacted texts, keyed hashes of user ids and of contents. The hash is of the content
 * as it was sent, so that a turn sent again under other settings of redaction is still the same turn.
 */
export function protectContents<T extends RecordContents>(
  contents: T,
  privacy: Privacy,
): T & { redactions: RedactionCounts } {
  const redactions: RedactionCounts = {};
  const turns = contents.turns.map((turn) => protectTurn(turn, privacy, redactions));
  const feedback = contents.feedback.map((given) => protectFeedback(given, privacy, redactions));
  const erasures = contents.erasures?.map((erasure) => ({ ...erasure, id: storedId(erasure, privacy) }));
  return { ...contents, turns, feedback, erasures, redactions };
}

const storedId = ({ subject, id }: Erasure, { pseudonyms }: Privacy) =>
  subject === 'user' ? pseudonyms.userId(id) : pseudonyms.conversationId(id);

function protectTurn(turn: Turn, { redactor, pseudonyms }: Privacy, counts: RedactionCounts): Turn {
  return {
    ...turn,
    conversationId: pseudonyms.conversationId(turn.conversationId),
    // Where there are parts, the text is what they say: counted once.
    content: redactor.text(turn.content, turn.parts ? {} : counts),
    parts: redactor.json(turn.parts, counts),
    userId: turn.userId === null ? null : pseudonyms.userId(turn.userId),
    metadata: redactor.json(turn.metadata, counts),
    sha256: pseudonyms.hash('content', turn.sha256),
  };
}

function protectFeedback(
  given: TurnFeedback,
  { redactor, pseudonyms }: Privacy,
  counts: RedactionCounts,
): TurnFeedback {
  const conversationId = pseudonyms.conversationId(given.conversationId);
  return { ...given, conversationId, value: redactor.json(given.value, counts) };
}
