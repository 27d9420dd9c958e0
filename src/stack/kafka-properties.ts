import { MAX_MESSAGE_BYTES } from './topics.js';

/** `server.properties` of a single node that is broker and controller. A static voter list, so that its port may change. */
export function serverProperties(dataDir: string, port: number, controllerPort: number): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': dataDir,
    'auto.create.topics.enable': false,
    'message.max.bytes': MAX_MESSAGE_BYTES,
    // Old chat logs are replayed with the time at which they were said: no record is too old to keep.
    'log.retention.ms': -1,
    // The database is on the same disk: what the system would write there of half a minute at once holds up its commits.
    'log.flush.interval.ms': 1_000,
    'log.flush.scheduler.interval.ms': 1_000,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    'group.initial.rebalance.delay.ms': 0,
    ...INTERNAL_TOPICS,
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

const INTERNAL_TOPICS = {
  'default.replication.factor': 1,
  'min.insync.replicas': 1,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 1,
};

export const LOG4J_PROPERTIES = `status=warn
appender.console.type=Console
appender.console.name=STDOUT
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.stdout.ref=STDOUT
logger.kafka.name=kafka
logger.kafka.level=info
logger.server.name=org.apache.kafka.server
logger.server.level=info
`;
