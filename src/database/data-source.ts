import { DataSource } from 'typeorm';
import { Initial1764000000000 } from '../../migrations/1764000000000-initial.js';
import { RunAnchors1764000060000 } from '../../migrations/1764000060000-run-anchors.js';
import { LastRecord1764000310000 } from '../../migrations/1764000310000-last-record.js';
import { ReplayedLetters1764000410000 } from '../../migrations/1764000410000-replayed-letters.js';
import { IngestRequests1764000420000 } from '../../migrations/1764000420000-ingest-requests.js';
import { AnchorOrigin1764000430000 } from '../../migrations/1764000430000-anchor-origin.js';
import { Erasure1764000510000 } from '../../migrations/1764000510000-erasure.js';
import { AnchorStateReason1764000520000 } from '../../migrations/1764000520000-anchor-state-reason.js';
import { AnchorDecisions1764000530000 } from '../../migrations/1764000530000-anchor-decisions.js';
import { Judge1764000600000 } from '../../migrations/1764000600000-judge.js';
import { LetterIds1764000610000 } from '../../migrations/1764000610000-letter-ids.js';
import { DecisionTexts1764000620000 } from '../../migrations/1764000620000-decision-texts.js';
import { VerdictAbstained1764000621000 } from '../../migrations/1764000621000-verdict-abstained.js';
import { Reviews1764000721000 } from '../../migrations/1764000721000-reviews.js';
import { AnchorPrecision1764000731000 } from '../../migrations/1764000731000-anchor-precision.js';
import { VerdictEvidence1764000741000 } from '../../migrations/1764000741000-verdict-evidence.js';
import { VerdictHistory1764000751000 } from '../../migrations/1764000751000-verdict-history.js';
import { PolicyVersionEntity } from '../policy/policy-version.entity.js';
import { RunEntity, RunStageEntity, TrainingStepEntity } from '../training/run.entity.js';

/**
 * The TypeORM connection pool of a process. The small tables have entities; rows of the stream go through `query`, as
 * sets (see docs/decisions).
 */
export function createDataSource(databaseUrl: string, poolSize = 10): DataSource {
  return new DataSource({
    type: 'postgres',
    url: databaseUrl,
    poolSize,
    applicationName: 'driftloop',
    extra: {
      // A server that vanished without a word is noticed: a query to it would otherwise wait for ever.
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // Queries here look up rows of a batch. While a new database is filled their cost is overestimated a hundredfold,
      // and compiling them would take longer than they do.
      onConnect: (client: { query(sql: string): Promise<unknown> }) => client.query('SET jit = off'),
    },
    entities: [RunEntity, RunStageEntity, TrainingStepEntity, PolicyVersionEntity],
    migrations: [
      Initial1764000000000,
      RunAnchors1764000060000,
      LastRecord1764000310000,
      ReplayedLetters1764000410000,
      IngestRequests1764000420000,
      AnchorOrigin1764000430000,
      Erasure1764000510000,
      AnchorStateReason1764000520000,
      AnchorDecisions1764000530000,
      Judge1764000600000,
      LetterIds1764000610000,
      DecisionTexts1764000620000,
      VerdictAbstained1764000621000,
      Reviews1764000721000,
      AnchorPrecision1764000731000,
      VerdictEvidence1764000741000,
      VerdictHistory1764000751000,
    ],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
  });
}
