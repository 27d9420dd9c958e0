import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import pg from 'pg';
import { untilDone } from '../../src/backoff.js';
import type { Config } from '../../src/config/config.js';
import { migrate } from '../../src/database/migrate.js';
import { createPartitioner } from '../../src/kafka/kafka-client.js';
import { ensureTopics, serviceTopics } from '../../src/stack/topics.js';
import type { Servers } from './servers.js';

const REQUEST_BYTES = 512 * 1024;
const RETRY = { firstMs: 100, maxMs: 1_000, onFailure: () => {} };

/** A database and topics of one run, what is sent there, and how far it is stored. */
export class Place {
  private readonly kafka: Kafka;
  private producer?: Producer;
  /** What the topic holds, in the order in which it was sent. */
  sent: Message[] = [];
  /** How many records were ever sent. */
  total = 0;

  private constructor(
    private readonly servers: Servers,
    readonly name: string,
    readonly topics: Config['topics'],
  ) {
    this.kafka = new Kafka({ clientId: 'faults', brokers: servers.brokers, logLevel: logLevel.NOTHING });
  }

  /** @param tablespace directory for the database's files */
  static async create(servers: Servers, name: string, tablespace?: string): Promise<Place> {
    const topics = { turns: `${name}.turns`, deadLetters: `${name}.turns.dlq`, policyVersions: `${name}.versions` };
    const place = new Place(servers, name, topics);
    await ensureTopics({ kafkaBrokers: servers.brokers }, serviceTopics(topics));
    await place.query('SELECT 1', servers.databaseUrl());
    if (tablespace) await place.query(`CREATE TABLESPACE ${name} LOCATION '${tablespace}'`, servers.databaseUrl());
    await place.query(`CREATE DATABASE ${name} ${tablespace ? `TABLESPACE ${name}` : ''}`, servers.databaseUrl());
    await migrate(place.databaseUrl);
    return place;
  }

  get databaseUrl(): string {
    return this.servers.databaseUrl(this.name);
  }

  get env(): Record<string, string> {
    return {
      DATABASE_URL: this.databaseUrl,
      KAFKA_BROKERS: this.servers.brokers.join(','),
      DRIFTLOOP_TOPIC_TURNS: this.topics.turns,
      DRIFTLOOP_TOPIC_POLICY_VERSIONS: this.topics.policyVersions,
      DRIFTLOOP_CONSUMER_GROUP: this.group,
      DRIFTLOOP_KAFKA_SESSION_TIMEOUT_MS: '6000',
      // Many transactions in a backlog, so that a process can die between any two of them.
      DRIFTLOOP_CLASSIFY_BATCH: '4',
      DRIFTLOOP_MANAGEMENT_PORT: '0',
      DRIFTLOOP_API_PORT: '0',
      DRIFTLOOP_PRIVACY_KEY: 'the key of all places, 32 characters',
    };
  }

  /** Until the broker has them all. What it does not confirm is sent again, in the same order. */
  async send(messages: Message[]): Promise<void> {
    this.total += messages.length;
    this.sent = this.sent.concat(messages);
    await this.put(messages);
  }

  /** Deletes the topic, and makes it again with these records. */
  async remakeTopic(messages: Message[]): Promise<void> {
    const { turns } = this.topics;
    await this.withAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [turns] });
      while ((await admin.listTopics()).includes(turns)) await sleep(50);
    });
    await ensureTopics({ kafkaBrokers: this.servers.brokers }, serviceTopics(this.topics));
    this.sent = [];
    await this.send(messages);
  }

  private async put(messages: Message[]): Promise<void> {
    for (const request of inRequests(messages)) await untilDone(() => this.putOnce(request), RETRY);
  }

  private async putOnce(messages: Message[]): Promise<void> {
    try {
      this.producer ??= await this.connect();
      await this.producer.send({ topic: this.topics.turns, acks: -1, messages });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  private async connect(): Promise<Producer> {
    const producer = this.kafka.producer({ createPartitioner, allowAutoTopicCreation: false, retry: { retries: 1 } });
    await producer.connect();
    return producer;
  }

  /** How many records of the topic are not stored. A position beyond the end is that of an older topic. */
  async behind(): Promise<number> {
    const ends = await this.withAdmin((admin) => admin.fetchTopicOffsets(this.topics.turns));
    const stored = await this.positions();
    return ends.reduce(
      (sum, { partition, high, low }) => sum + Math.abs(Number(high) - (stored.get(partition) ?? Number(low))),
      0,
    );
  }

  async positions(): Promise<Map<number, number>> {
    const rows = await this.query<{ partition: number; next_offset: string }>(
      `SELECT partition, next_offset FROM consumer_offsets WHERE consumer_group = '${this.group}'`,
    );
    return new Map(rows.map(({ partition, next_offset }) => [partition, Number(next_offset)]));
  }

  async storedRecords(): Promise<number> {
    return [...(await this.positions()).values()].reduce((sum, next) => sum + next, 0);
  }

  async provisional(): Promise<number> {
    const [row] = await this.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM verdicts WHERE status = 'provisional'`,
    );
    return row!.count;
  }

  /** On a connection of its own, as any other may be cut at any time. */
  async query<T>(sql: string, url = this.databaseUrl): Promise<T[]> {
    const client = new pg.Client({ connectionString: url, application_name: 'faults' });
    client.on('error', () => {});
    try {
      await client.connect();
      return (await client.query(sql)).rows as T[];
    } finally {
      await client.end().catch(() => {});
    }
  }

  async close(): Promise<void> {
    const producer = this.producer;
    this.producer = undefined;
    await producer?.disconnect().catch(() => {});
  }

  private async withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      return await use(admin);
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  private get group(): string {
    return `${this.name}-group`;
  }
}

function* inRequests(messages: Message[]): Generator<Message[]> {
  let request: Message[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = message.value?.length ?? 0;
    if (request.length > 0 && bytes + size > REQUEST_BYTES) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(message);
    bytes += size;
  }
  if (request.length > 0) yield request;
}
