import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config.js';
import { requireAsset } from '../../src/stack/assets.js';
import { serverProperties } from '../../src/stack/kafka-properties.js';
import { choosePort } from '../../src/stack/ports.js';
import type { Certificates } from '../factories/certificates.js';

export const USER = { name: 'app', password: 'right-password' };

/** A real broker with a listener for SASL over TLS, and one that asks for a client's certificate. */
export class SecureKafka {
  private constructor(
    readonly sasl: string,
    readonly mutual: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(dir: string, certificates: Certificates): Promise<SecureKafka> {
    const ports: number[] = [];
    while (ports.length < 4) ports.push(await choosePort(undefined, ports));
    const [plain, controller, sasl, mutual] = ports as [number, number, number, number];
    const libs = requireAsset(loadConfig({ DRIFTLOOP_CACHE: process.env.DRIFTLOOP_CACHE }), 'kafkaLibs');
    const java = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', join(libs, '*')];
    const base = serverProperties(join(dir, 'data'), plain, controller);
    writeFileSync(join(dir, 'server.properties'), `${base}${secured(certificates, plain, controller, sasl, mutual)}`);
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${USER.name},password=${USER.password}]`,
    ]);
    const format = [
      'kafka.tools.StorageTool',
      'format',
      '--cluster-id=AAAAAAAAAAAAAAAAAAAAAA',
      '-c',
      'server.properties',
    ];
    execFileSync('java', [...java, ...format, ...scram], { cwd: dir, stdio: 'pipe' });
    const child = spawn('java', [...java, 'kafka.Kafka', 'server.properties'], { cwd: dir });
    child.stdout.pipe(createWriteStream(join(dir, 'kafka.log')));
    return new SecureKafka(`127.0.0.1:${sasl}`, `127.0.0.1:${mutual}`, child);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }
}

function secured(
  { keystore, ca }: Certificates,
  plain: number,
  controller: number,
  sasl: number,
  mutual: number,
): string {
  const module = (name: string, options = '') => `org.apache.kafka.common.security.${name} required ${options};`;
  const properties = {
    listeners: `PLAINTEXT://127.0.0.1:${plain},CONTROLLER://127.0.0.1:${controller},SASL_SSL://127.0.0.1:${sasl},MUTUAL://127.0.0.1:${mutual}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${plain},SASL_SSL://127.0.0.1:${sasl},MUTUAL://127.0.0.1:${mutual}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,MUTUAL:SSL',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': module(
      'plain.PlainLoginModule',
      `user_${USER.name}="${USER.password}"`,
    ),
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': module('scram.ScramLoginModule'),
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': module('scram.ScramLoginModule'),
    'listener.name.sasl_ssl.oauthbearer.sasl.jaas.config': module(
      'oauthbearer.OAuthBearerLoginModule',
      'unsecuredLoginStringClaim_sub="broker"',
    ),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': ca,
    'listener.name.mutual.ssl.client.auth': 'required',
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
