import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  certFile: string;
  keyFile: string;
}

/** Makes certificates with openssl, each with its key, in a directory. */
export class CertificateAuthority implements Certificate {
  readonly certFile: string;
  readonly keyFile: string;

  constructor(
    private readonly dir: string,
    private readonly name: string,
  ) {
    const { certFile, keyFile } = this.make(name, ['basicConstraints=critical,CA:TRUE']);
    this.certFile = certFile;
    this.keyFile = keyFile;
  }

  /** @param san such as `DNS:localhost` */
  issue(name: string, san = `DNS:${name}`): Certificate {
    return this.make(`${this.name}-${name}`, [`subjectAltName=${san}`], ['-CA', this.certFile, '-CAkey', this.keyFile]);
  }

  private make(name: string, extensions: string[], signer: string[] = []): Certificate {
    const [certFile, keyFile, config] = ['crt', 'key', 'cnf'].map((suffix) => join(this.dir, `${name}.${suffix}`));
    writeFileSync(config!, '[req]\ndistinguished_name = name\n[name]\n');
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile!];
    const added = extensions.flatMap((extension) => ['-addext', extension]);
    const args = ['-x509', '-config', config!, '-days', '2', '-subj', `/CN=${name}`, '-out', certFile!];
    execFileSync('openssl', ['req', ...args, ...key, ...added, ...signer], { stdio: 'pipe' });
    return { certFile: certFile!, keyFile: keyFile! };
  }
}

export const pemOf = ({ certFile, keyFile }: Certificate) =>
  readFileSync(keyFile, 'utf8') + readFileSync(certFile, 'utf8');
