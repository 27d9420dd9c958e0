import type { DataSource, EntityManager } from 'typeorm';
import type { Pseudonyms } from '../../privacy/pseudonyms.js';
import type { Exchange } from '../verdict.js';
import type { FoundItem } from './rubric.js';

/** Name of an exchange's content: keyed, so that nobody can tell by it whether somebody said something. */
export function exchangeHash(pseudonyms: Pseudonyms, { prompt, reply, userTurn }: Exchange): string {
  return pseudonyms.hash('judged', JSON.stringify([prompt, reply, userTurn]));
}

export interface Answered {
  exchange: Exchange;
  items: readonly FoundItem[];
}

/** What the judge answered, so that the same content is asked about once; over restarts, and for all processes. */
export class AnswerCache {
  constructor(
    private readonly dataSource: DataSource,
    private readonly pseudonyms: Pseudonyms,
    private readonly judge: string,
  ) {}

  hash(exchange: Exchange): string {
    return exchangeHash(this.pseudonyms, exchange);
  }

  /** The items of the exchanges that were answered, by their hashes. */
  async read(hashes: readonly string[]): Promise<Map<string, FoundItem[]>> {
    const rows = await this.dataSource.query<{ hash: string; items: FoundItem[] }[]>(
      'SELECT content_hash AS hash, items FROM judge_answers WHERE judge_version = $1 AND content_hash = ANY ($2)',
      [this.judge, hashes],
    );
    return new Map(rows.map(({ hash, items }) => [hash, items]));
  }

  /** At once, in a transaction of its own: what was paid for outlives a transaction that fails. */
  async write(answers: readonly Answered[]): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO judge_answers (judge_version, content_hash, turn_hash, items)
       SELECT $1, a.content, a.turn, a.items::jsonb FROM unnest($2::text[], $3::text[], $4::text[]) AS a (content, turn, items)
       ON CONFLICT DO NOTHING`,
      [
        this.judge,
        answers.map(({ exchange }) => this.hash(exchange)),
        answers.map(({ exchange }) => turnHash(this.pseudonyms, exchange.userTurn)),
        answers.map(({ items }) => JSON.stringify(items)),
      ],
    );
  }
}

const turnHash = (pseudonyms: Pseudonyms, content: string) => pseudonyms.hash('judged-turn', content);

/**
 * What was answered of the conversations' user turns, by any judge and after whatever reply they were read, so also before
 * a turn came late. An answer that the same words of somebody else share goes too: it is asked for again.
 */
export async function dropAnswers(
  manager: EntityManager,
  pseudonyms: Pseudonyms,
  userTurns: readonly string[],
): Promise<void> {
  const hashes = userTurns.map((content) => turnHash(pseudonyms, content));
  await manager.query('DELETE FROM judge_answers WHERE turn_hash = ANY ($1)', [hashes]);
}
