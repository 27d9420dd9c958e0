import type { DataSource } from 'typeorm';
import { storedPositions } from '../../src/chat-log/consumer-offsets.js';
import { createDataSource } from '../../src/database/data-source.js';
import { migrate } from '../../src/database/migrate.js';
import { provisionalBacklog } from '../../src/dsat/verdict-rows.js';
import type { Stack } from '../../src/stack/stack.js';
import { ensureTopics, serviceTopics } from '../../src/stack/topics.js';

/** A database and topics of one measurement. */
export class Place {
  private constructor(
    readonly env: Record<string, string>,
    readonly topic: string,
    private readonly name: string,
    private readonly server: string,
    readonly databaseUrl: string,
    readonly dataSource: DataSource,
  ) {}

  static async create({ databaseUrl, kafkaBrokers }: Stack, name: string): Promise<Place> {
    await tell(databaseUrl, `CREATE DATABASE ${name}`);
    const url = Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;
    await migrate(url);
    const topics = { turns: `${name}.turns`, deadLetters: `${name}.turns.dlq`, policyVersions: `${name}.versions` };
    await ensureTopics({ kafkaBrokers }, serviceTopics(topics));
    const env = {
      // Full rates are more than a second stage settles: at its limit the stream would wait for it.
      DRIFTLOOP_PROVISIONAL_LIMIT: '1000000',
      DATABASE_URL: url,
      KAFKA_BROKERS: kafkaBrokers.join(','),
      DRIFTLOOP_TOPIC_TURNS: topics.turns,
      DRIFTLOOP_TOPIC_POLICY_VERSIONS: topics.policyVersions,
      DRIFTLOOP_CONSUMER_GROUP: name,
      DRIFTLOOP_PRIVACY_KEY: 'a key of the benchmark, no secret',
      DRIFTLOOP_MANAGEMENT_PORT: '0',
      DRIFTLOOP_API_PORT: '0',
      DRIFTLOOP_LOG_LEVEL: 'warn',
    };
    return new Place(env, topics.turns, name, databaseUrl, url, await createDataSource(url, 2).initialize());
  }

  /** The next offset of each partition. */
  async offsets(): Promise<Map<number, number>> {
    const positions = await storedPositions(this.dataSource, this.name, this.topic);
    return new Map([...positions].map(([partition, { nextOffset }]) => [partition, Number(nextOffset)]));
  }

  async stored(): Promise<number> {
    return [...(await this.offsets()).values()].reduce((sum, next) => sum + next, 0);
  }

  backlog(): Promise<number> {
    return provisionalBacklog(this.dataSource);
  }

  /** Drops the database, and has its pages written: neither is left to the time of the next measurement. */
  async close(): Promise<void> {
    await this.dataSource.destroy();
    await tell(this.server, `DROP DATABASE ${this.name} WITH (FORCE)`);
    await tell(this.server, 'CHECKPOINT');
  }
}

async function tell(databaseUrl: string, sql: string): Promise<void> {
  const dataSource = await createDataSource(databaseUrl, 1).initialize();
  await dataSource.query(sql);
  await dataSource.destroy();
}
