import { readFileSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { type ReadyRows, TABLES } from './rows.js';

// A consumer that does the least: ready-made rows of each fetched batch, in one transaction, with kafkajs as it comes.
// Arguments: database, broker, topic, records, a file of rows a partition.
const [databaseUrl, broker, topic, count, ...files] = process.argv.slice(2);
const rows = files.map((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => JSON.parse(line) as ReadyRows),
);
const pool = new pg.Pool({ connectionString: databaseUrl });

async function store(ready: ReadyRows[]): Promise<void> {
  const client = await pool.connect();
  await client.query('BEGIN');
  for (const table of ['turn', 'verdict', 'anchor'] as const) {
    const given = ready.flatMap((each) => (each[table] ? [each[table]] : []));
    if (given.length === 0) continue;
    const { name, columns, types } = TABLES[table];
    const arrays = types.map((type, index) => `$${index + 1}::${type}[]`);
    await client.query(
      `INSERT INTO ${name} (${columns.join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})`,
      columns.map((_, column) => given.map((row) => row[column])),
    );
  }
  await client.query('COMMIT');
  client.release();
}

let stored = 0;
let first = 0;
let startedAt = 0;
let cpu = process.cpuUsage();
const kafka = new Kafka({ clientId: 'bare', brokers: [broker!], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: 'bare' });
await consumer.connect();
await consumer.subscribe({ topics: [topic!], fromBeginning: true });
await consumer.run({
  eachBatch: async ({ batch }) => {
    const from = Number(batch.messages[0]!.offset);
    await store(rows[batch.partition]!.slice(from, from + batch.messages.length));
    stored += batch.messages.length;
    if (startedAt === 0) [first, startedAt, cpu] = [stored, performance.now(), process.cpuUsage()];
    if (stored === Number(count)) process.send!(figures());
  },
});

function figures() {
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const turns = stored - first;
  return { turnsPerSecond: turns / seconds, seconds, cpuSecondsPer100k: ((user + system) / 1e6 / turns) * 100_000 };
}
process.once('message', async () => {
  await consumer.disconnect();
  await pool.end();
  process.disconnect();
});
