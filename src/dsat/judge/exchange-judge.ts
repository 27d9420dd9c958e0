import { DriftError } from '../../drift-error.js';
import { abstains, decide, probabilitiesOf } from '../decide-verdict.js';
import { askJson } from '../llm/ask-json.js';
import type { JudgeClient } from '../llm/judge-client.js';
import { chunksOf, mapConcurrently } from '../llm/map-concurrently.js';
import type { Exchange, JudgeOutcome, Label, Rubric, Verdict } from '../verdict.js';
import type { AnswerCache } from './answer-cache.js';
import { type FoundItem, impactsOf, type JudgeRubric, scoresOf } from './rubric.js';
import { scoringQuestion } from './scoring-prompt.js';

/** What the judge says of an exchange, or why it says nothing. */
export type Judgement =
  | ({ outcome: 'asked' | 'cached' } & Pick<Verdict, 'label' | 'probabilities' | 'rubric' | 'abstained'>)
  | { outcome: Exclude<JudgeOutcome, 'asked' | 'cached'> };

/** The items that the model found, or why there are none. */
export type Answer = { outcome: 'asked' | 'cached'; items: FoundItem[] } | Exclude<Judgement, { label: Label }>;

export interface ExchangeJudgeTools {
  client: JudgeClient;
  rubric: JudgeRubric;
  cache: Pick<AnswerCache, 'hash' | 'read' | 'write'>;
}

/** Scores exchanges by the items of a rubric (SPUR, arXiv 2403.12388, section 3.3), several in a request. */
export class ExchangeJudge {
  constructor(private readonly tools: ExchangeJudgeTools) {}

  /** In the order of the exchanges; within the time of the settings, whatever the API does. */
  async judge(exchanges: readonly Exchange[]): Promise<Judgement[]> {
    return (await this.answers(exchanges)).map((answer) => this.judgement(answer));
  }

  /** The same before it is weighed. */
  async answers(exchanges: readonly Exchange[]): Promise<Answer[]> {
    if (exchanges.length === 0) return [];
    const { cache, client } = this.tools;
    const hashes = exchanges.map((exchange) => cache.hash(exchange));
    const cached = await cache.read(hashes);
    const answers = new Map<string, Answer>([...cached].map(([hash, items]) => [hash, { outcome: 'cached', items }]));
    const all = new Map(exchanges.map((exchange, at) => [hashes[at]!, exchange]));
    const open = [...all].filter(([hash]) => !cached.has(hash));
    const deadline = AbortSignal.timeout(client.settings.timeoutMs);
    const chunks = chunksOf(open, client.settings.batch);
    const asked = await mapConcurrently(chunks, client.settings.concurrency, (chunk) => this.ask(chunk, deadline));
    for (const [hash, answer] of asked.flat()) answers.set(hash, answer);
    return hashes.map((hash) => answers.get(hash)!);
  }

  /** One request. What the answer leaves out was not judged. */
  private async ask(chunk: [string, Exchange][], deadline: AbortSignal): Promise<[string, Answer][]> {
    const { client, rubric, cache } = this.tools;
    const question = scoringQuestion(
      rubric.items,
      chunk.map(([, exchange]) => exchange),
    );
    try {
      const { exchanges } = await askJson(client, question, deadline);
      const found = new Map(exchanges.map(({ exchange, items }) => [exchange, items]));
      await cache.write([...found].map(([number, items]) => ({ exchange: chunk[number - 1]![1], items })));
      return chunk.map(([hash], at): [string, Answer] => {
        const items = found.get(at + 1);
        return [hash, items ? { outcome: 'asked', items } : { outcome: 'unparseable' }];
      });
    } catch (error) {
      const outcome = outcomeOf(error);
      return chunk.map(([hash]) => [hash, { outcome }]);
    }
  }

  private judgement(answer: Answer): Judgement {
    if (!('items' in answer)) return answer;
    const { items, calibration, decision } = this.tools.rubric;
    const probabilities = probabilitiesOf(scoresOf(answer.items, items), calibration);
    const label = decide(probabilities, decision);
    return {
      outcome: answer.outcome,
      label,
      probabilities,
      rubric: label === 'dsat' ? strongest(answer.items, this.tools.rubric) : null,
      abstained: abstains(probabilities, decision),
    };
  }
}

/** The reason of the item that weighs most. */
function strongest(found: readonly FoundItem[], { items }: JudgeRubric): Rubric {
  const weighed = items.flatMap((item) =>
    item.kind === 'dsat' ? [{ rubric: item.rubric, impact: Math.max(0, ...impactsOf(found, item.id)) }] : [],
  );
  const top = weighed.reduce((most, next) => (next.impact > most.impact ? next : most));
  return top.impact > 0 ? top.rubric : 'other';
}

const OUTCOMES = {
  'judge-unavailable': 'unavailable',
  'judge-over-budget': 'over-budget',
  'judge-unparseable': 'unparseable',
} as const;

/** @throws what the judge is not to blame for */
function outcomeOf(error: unknown): (typeof OUTCOMES)[keyof typeof OUTCOMES] {
  if (error instanceof DriftError && error.code in OUTCOMES) return OUTCOMES[error.code as keyof typeof OUTCOMES];
  throw error;
}
