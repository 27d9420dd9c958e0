import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Config } from '../../src/config/config.js';
import { requireAsset } from '../../src/stack/assets.js';
import { type EmbeddedServer, joinOrStart } from '../../src/stack/embedded-server.js';
import { LOG4J_PROPERTIES, serverProperties } from '../../src/stack/kafka-properties.js';
import { choosePort } from '../../src/stack/ports.js';
import { type StopSignals, spawnServer, stopProcess } from '../../src/stack/server-process.js';
import type { ServerRecord } from '../../src/stack/stack-state.js';
import { brokersAnswer } from '../../src/stack/topics.js';
import { type Certificate, type CertificateAuthority, pemOf } from './certificates.js';
import { AUDIENCE, ISSUER } from './token-endpoint.js';

export const USER = { name: 'ada', password: 'correct horse battery=staple' };
/** Clients have to log in anew within this time; kafkajs does so 10 s before its end. */
export const SESSION_MS = 12_000;

const SECURITY = 'org.apache.kafka.common.security';

interface Files {
  authority: CertificateAuthority;
  server: Certificate;
  jwks: unknown;
}

/**
 * Apache Kafka with a listener for logins over TLS, with every mechanism, one that wants certificates of clients, and one
 * in the clear that only brokers and this test know.
 */
export class SecureKafka implements EmbeddedServer {
  readonly title = 'Apache Kafka with TLS';
  readonly stopSignals: StopSignals = [{ signal: 'SIGTERM', graceMs: 30_000 }];
  readonly logFile: string;
  private record?: ServerRecord;

  private constructor(
    private readonly config: Pick<Config, 'cacheDir'>,
    private readonly dir: string,
    private readonly files: Files,
  ) {
    this.logFile = join(dir, 'kafka.log');
  }

  static async start(config: Pick<Config, 'cacheDir'>, dir: string, files: Files): Promise<SecureKafka> {
    const kafka = new SecureKafka(config, dir, files);
    const save = (record: ServerRecord) => {
      kafka.record = record;
    };
    await joinOrStart(kafka, undefined, [], save);
    return kafka;
  }

  async stop(): Promise<void> {
    if (this.record) await stopProcess(this.record, this.stopSignals);
  }

  get plainBroker(): string {
    return `localhost:${this.record!.ports[0]}`;
  }

  get loginBroker(): string {
    return `localhost:${this.record!.ports[2]}`;
  }

  get certificateBroker(): string {
    return `localhost:${this.record!.ports[3]}`;
  }

  async start(): Promise<ServerRecord> {
    mkdirSync(this.dir, { recursive: true });
    const ports: number[] = [];
    for (let index = 0; index < 4; index++) ports.push(await choosePort(undefined, ports));
    writeFileSync(join(this.dir, 'log4j2.properties'), LOG4J_PROPERTIES);
    writeFileSync(join(this.dir, 'server.pem'), pemOf(this.files.server));
    writeFileSync(join(this.dir, 'jwks.json'), JSON.stringify(this.files.jwks));
    writeFileSync(join(this.dir, 'server.properties'), this.properties(ports));
    await this.format();
    const args = ['-Xmx256m', '-XX:TieredStopAtLevel=1', ...this.java(), 'kafka.Kafka', 'server.properties'];
    return { ...(await spawnServer('java', args, this.logFile, { cwd: this.dir })), ports };
  }

  answers({ ports }: ServerRecord): Promise<boolean> {
    return brokersAnswer([`127.0.0.1:${ports[0]}`]);
  }

  running(): [] {
    return [];
  }

  private async format(): Promise<void> {
    const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${USER.name},password="${USER.password}"]`,
    ]);
    const args = ['format', '--cluster-id=Y2x1c3RlciBvZiBhIHRlcw', '-c', 'server.properties', ...users];
    await promisify(execFile)('java', [...this.java(), 'kafka.tools.StorageTool', ...args], { cwd: this.dir });
  }

  private properties([plain, controller, login, certificate]: number[]): string {
    const module = (name: string, options = '') => `${SECURITY}.${name} required${options};`;
    const own = {
      listeners: `PLAINTEXT://127.0.0.1:${plain},CONTROLLER://127.0.0.1:${controller},LOGIN://127.0.0.1:${login},CERTIFICATE://127.0.0.1:${certificate}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${plain},LOGIN://localhost:${login},CERTIFICATE://localhost:${certificate}`,
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_SSL,CERTIFICATE:SSL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': join(this.dir, 'server.pem'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': this.files.authority.certFile,
      'listener.name.certificate.ssl.client.auth': 'required',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      ...prefixed('listener.name.login.', {
        'connections.max.reauth.ms': SESSION_MS,
        'plain.sasl.jaas.config': module('plain.PlainLoginModule', ` user_${USER.name}="${USER.password}"`),
        'scram-sha-256.sasl.jaas.config': module('scram.ScramLoginModule'),
        'scram-sha-512.sasl.jaas.config': module('scram.ScramLoginModule'),
        'oauthbearer.sasl.jaas.config': module('oauthbearer.OAuthBearerLoginModule'),
        'oauthbearer.sasl.server.callback.handler.class': `${SECURITY}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
        'oauthbearer.sasl.oauthbearer.jwks.endpoint.url': this.jwksUrl,
        'oauthbearer.sasl.oauthbearer.expected.audience': AUDIENCE,
        'oauthbearer.sasl.oauthbearer.expected.issuer': ISSUER,
      }),
    };
    const lines = Object.entries(own).map(([key, value]) => `${key}=${value}\n`);
    // Of a key that comes twice, the last one counts.
    return serverProperties(join(this.dir, 'data'), plain!, controller!) + lines.join('');
  }

  private get jwksUrl(): string {
    return pathToFileURL(join(this.dir, 'jwks.json')).href;
  }

  private java(): string[] {
    const libs = requireAsset(this.config, 'kafkaLibs');
    const allowed = ['urls', 'files'].map(
      (kind) => `-Dorg.apache.kafka.sasl.oauthbearer.allowed.${kind}=${this.jwksUrl}`,
    );
    return [...allowed, '-Dlog4j2.configurationFile=log4j2.properties', '-cp', join(libs, '*')];
  }
}

function prefixed(prefix: string, properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [prefix + key, value]));
}
