import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  ca: string;
  /** Of 127.0.0.1. */
  cert: string;
  key: string;
  /** Key and certificate in one file, as Kafka takes them. */
  keystore: string;
  /** A certificate authority that signed nothing here. */
  otherCa: string;
}

/** Makes a certificate authority, a certificate of 127.0.0.1 and a stranger's authority, by openssl. */
export function makeCertificates(dir: string): Certificates {
  mkdirSync(dir, { recursive: true });
  const file = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    );
  authority('ca');
  authority('other');
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=localhost',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
  );
  writeFileSync(file('ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'ext',
    '-out',
    'server.crt',
  );
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'server.key', '-out', 'server.pk8');
  const keystore = `${readFileSync(file('server.pk8'))}${readFileSync(file('server.crt'))}${readFileSync(file('ca.crt'))}`;
  writeFileSync(file('server.keystore.pem'), keystore);
  return {
    ca: file('ca.crt'),
    cert: file('server.crt'),
    key: file('server.key'),
    keystore: file('server.keystore.pem'),
    otherCa: file('other.crt'),
  };
}
