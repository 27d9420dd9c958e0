import { DriftError } from '../../drift-error.js';
import type { Redactor } from '../../privacy/redaction.js';
import type { LabelledTurn } from '../evaluation/labelled-turn.js';
import { foldOf } from '../train/cross-validation.js';
import type { LearningExample } from './learn-rubric.js';
import type { ItemKind } from './learning-prompts.js';
import type { MeasuredTurn } from './measure-rubric.js';
import { sha256 } from './rubric.js';

export interface ChosenTurns {
  examples: LearningExample[];
  measured: MeasuredTurn[];
}

/** A conversation of these folds is measured on, and never learnt from. */
const MEASURED_FOLDS = [0, 1];

/**
 * Which labelled turns a rubric is learnt from and which it is measured on, with their texts redacted: they leave the
 * machine. Sure labels are learnt from first; measured are turns at natural rates where the file says which those are.
 * @throws DriftError `usage` where a kind has no example
 */
export function chooseTurns(
  turns: readonly LabelledTurn[],
  { examples: most, measure }: { examples: number; measure: number },
  redactor: Pick<Redactor, 'text'>,
): ChosenTurns {
  const isMeasured = ({ conversation }: LabelledTurn) => MEASURED_FOLDS.includes(foldOf(conversation));
  const redacted = (turn: LabelledTurn): LabelledTurn => ({ ...turn, exchange: redactedExchange(turn, redactor) });
  const learnt = shuffled(turns.filter((turn) => !isMeasured(turn)));
  const sureFirst = [...learnt.filter(isSure), ...learnt.filter((turn) => !isSure(turn))];
  const examplesOf = (kind: ItemKind) => {
    const found = sureFirst.filter(({ label }) => label === kind).slice(0, most);
    if (found.length === 0) throw new DriftError('usage', `There is no turn labelled ${kind} to learn from.`);
    return found.map(redacted).map(({ exchange }) => ({ kind, exchange }));
  };
  const others = shuffled(turns.filter(isMeasured));
  const natural = others.filter(({ stratum }) => stratum === 'random');
  return {
    examples: [...examplesOf('dsat'), ...examplesOf('sat')],
    measured: (natural.length > 0 ? natural : others).slice(0, measure).map(redacted),
  };
}

const isSure = ({ confidence }: LabelledTurn) => confidence !== 'low';

/** In an order that says nothing of the turns, and is the same again. */
function shuffled(turns: readonly LabelledTurn[]): LabelledTurn[] {
  const keyed = turns.map((turn) => ({ turn, key: sha256(`${turn.conversation} ${turn.turn}`) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ turn }) => turn);
}

function redactedExchange({ exchange }: LabelledTurn, redactor: Pick<Redactor, 'text'>): LabelledTurn['exchange'] {
  const text = (of: string) => redactor.text(of, {});
  return { prompt: text(exchange.prompt), reply: text(exchange.reply), userTurn: text(exchange.userTurn) };
}
