import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import type { Classifier } from '../verdict.js';
import { countHistory, type HistoryFilter, type PastTurn, readHistory, START } from './history-rows.js';
import { finalOf, type TakenUp, takeUp } from './take-up.js';

export interface ReclassifyTools {
  dataSource: DataSource;
  /** The whole cascade; its versions are rows already. */
  classifier: Classifier;
  /** Whether feedback on the reply counts in the verdict. */
  feedbackEvidence: boolean;
  /** Verdicts that one transaction changes. */
  batch?: number;
  onProgress?: (done: number, all: number) => void;
}

export interface ReclassifyRequest extends HistoryFilter {
  /** Does all of it and takes it back: what would change is counted, and nothing does. */
  dryRun: boolean;
}

export type Reclassified = Omit<TakenUp, 'busy'>;

const BATCH = 200;
/** How long to wait for what somebody else holds. */
const BUSY_MS = 250;

/**
 * Gives all final verdicts of other versions anew. Batch by batch, each a transaction: what is killed goes on where it was
 * when it is started again, and of two at once each turn is done by one. Nothing is held while it classifies.
 */
export async function reclassify(tools: ReclassifyTools, request: ReclassifyRequest): Promise<Reclassified> {
  const all = await countHistory(tools.dataSource, request);
  const total: TakenUp = nothing();
  do {
    if (total.busy > 0) await sleep(BUSY_MS);
    total.busy = 0;
    await onePass(tools, request, (done) => {
      add(total, done);
      tools.onProgress?.(total.verdicts + total.withheld, all);
    });
  } while (total.busy > 0 && !request.dryRun);
  const { busy: _, ...reclassified } = total;
  return reclassified;
}

async function onePass(
  { dataSource, classifier, feedbackEvidence, batch = BATCH }: ReclassifyTools,
  request: ReclassifyRequest,
  onDone: (done: TakenUp) => void,
): Promise<void> {
  let place: Pick<PastTurn, 'conversationId' | 'turn'> = START;
  for (;;) {
    const turns = await readHistory(dataSource, request, place, batch);
    if (turns.length === 0) return;
    place = turns.at(-1)!;
    const verdicts = await classifier.classify(turns.map(({ exchange }) => exchange));
    const rejudged = turns.map((turn, at) => ({ ...turn, verdict: finalOf(verdicts[at]!) }));
    const work = async (manager: EntityManager) => {
      const done = await takeUp(manager, rejudged, feedbackEvidence);
      await record(manager, request.version, done);
      return done;
    };
    onDone(await inTransaction(dataSource, work, request.dryRun));
  }
}

/** What each transaction did, so that the sum is right whatever was killed. */
async function record(manager: EntityManager, version: string, { busy: _, ...done }: TakenUp): Promise<void> {
  if (done.verdicts + done.withheld === 0) return;
  await manager.query(`INSERT INTO audit_log (action, subject, facts) VALUES ('reclassify', $1, $2)`, [
    version,
    JSON.stringify(done),
  ]);
}

async function inTransaction<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
  takeBack: boolean,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction('READ COMMITTED');
    const result = await work(runner.manager);
    await (takeBack ? runner.rollbackTransaction() : runner.commitTransaction());
    return result;
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => {});
    throw error;
  } finally {
    await runner.release();
  }
}

function nothing(): TakenUp {
  return {
    verdicts: 0,
    withheld: 0,
    labels: {},
    anchors: { made: 0, retired: 0, restored: 0, disputed: 0 },
    seedPairs: { made: 0, removed: 0 },
    busy: 0,
  };
}

function add(total: TakenUp, done: TakenUp): void {
  total.verdicts += done.verdicts;
  total.withheld += done.withheld;
  total.busy += done.busy;
  for (const [change, count] of Object.entries(done.labels)) total.labels[change] = (total.labels[change] ?? 0) + count;
  for (const key of ['made', 'retired', 'restored', 'disputed'] as const) total.anchors[key] += done.anchors[key];
  for (const key of ['made', 'removed'] as const) total.seedPairs[key] += done.seedPairs[key];
}
