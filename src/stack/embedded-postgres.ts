import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { findPostgres } from '../../scripts/setup/postgres-binaries.mjs';
import type { Config } from '../config/config.js';
import { DriftError } from '../drift-error.js';
import type { EmbeddedServer } from './embedded-server.js';
import { choosePort } from './ports.js';
import { type Account, mayUse, postgresHome } from './postgres-account.js';
import { type ProcessRecord, processesIn, type StopSignals, spawnServer } from './server-process.js';
import type { ServerRecord } from './stack-state.js';

const USER = 'driftloop';
const DATABASE = 'driftloop';
/** For a database that nobody misses: nothing is synced to disk. */
const THROWAWAY = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/** A PostgreSQL of the machine (or of npm) on a data directory below the state directory; loopback only, with a password. */
export class EmbeddedPostgres implements EmbeddedServer {
  /** Fast shutdown, then immediate. */
  static readonly STOP_SIGNALS: StopSignals = [
    { signal: 'SIGINT', graceMs: 30_000 },
    { signal: 'SIGQUIT', graceMs: 10_000 },
  ];
  readonly title = 'PostgreSQL';
  readonly logFile: string;
  readonly stopSignals = EmbeddedPostgres.STOP_SIGNALS;
  private readonly home: string;
  private readonly account: Account;
  private readonly data: string;

  constructor(
    private readonly config: Pick<Config, 'stateDir' | 'cacheDir'>,
    private readonly throwaway: boolean,
  ) {
    const { home, account } = postgresHome(config.stateDir);
    this.home = home;
    this.account = account;
    this.data = join(home, 'data');
    this.logFile = join(config.stateDir, 'logs', 'postgres.log');
  }

  url(record: ServerRecord, database = DATABASE): string {
    return `postgres://${USER}:${this.password()}@127.0.0.1:${record.ports[0]}/${database}`;
  }

  async start(lastPorts: number[]): Promise<ServerRecord> {
    const binaries = this.binaries();
    if (!existsSync(this.data)) await this.initialize(binaries);
    // Whoever wrote it has ended: `running` found nobody. Its pid may belong to another process by now.
    if (process.platform === 'linux') rmSync(join(this.data, 'postmaster.pid'), { force: true });
    const port = await choosePort(lastPorts[0]);
    const settings = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 200,
      // Log segments that are not needed are deleted, not kept for use again: what was erased is not in them.
      wal_recycle: 'off',
      ...(this.throwaway ? THROWAWAY : {}),
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const record = await spawnServer(
      join(binaries, 'postgres'),
      ['-D', this.data, ...args],
      this.logFile,
      this.spawnOptions(),
    );
    return { ...record, ports: [port] };
  }

  async answers(record: ServerRecord): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url(record, 'postgres'), connectionTimeoutMillis: 5_000 });
    client.on('error', () => {}); // a server that ends meanwhile
    try {
      await client.connect();
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }

  running(): ProcessRecord[] {
    return processesIn(this.data, 'postgres');
  }

  /** Makes the data directory under another name first: it is there whole or not at all. */
  private async initialize(binaries: string): Promise<void> {
    const temporary = `${this.data}.tmp`;
    rmSync(temporary, { recursive: true, force: true });
    this.password();
    const pwfile = `--pwfile=${this.passwordFile}`;
    const args = [
      '-D',
      temporary,
      '-U',
      USER,
      '--auth=scram-sha-256',
      pwfile,
      '--encoding=UTF8',
      '--locale=C',
      ...(this.throwaway ? ['--no-sync'] : []),
    ];
    try {
      await promisify(execFile)(join(binaries, 'initdb'), args, this.spawnOptions());
    } catch (cause) {
      const message = `PostgreSQL could not make a database in ${this.home}: ${(cause as Error).message}`;
      throw new DriftError('stack-unavailable', message, { cause });
    }
    renameSync(temporary, this.data);
  }

  private get passwordFile(): string {
    return join(this.home, 'password');
  }

  /** Of this data directory, made with it: other users of the machine can reach the port. */
  private password(): string {
    if (!existsSync(this.passwordFile)) {
      const temporary = `${this.passwordFile}.tmp`;
      const fd = openSync(temporary, 'w', 0o600);
      writeSync(fd, randomBytes(24).toString('base64url'));
      fsyncSync(fd);
      closeSync(fd);
      if (this.account) chownSync(temporary, this.account.uid, this.account.gid);
      renameSync(temporary, this.passwordFile);
    }
    return readFileSync(this.passwordFile, 'utf8');
  }

  /** Where `initdb` and `postgres` are: of the version that made the data, and such that the account may run them. */
  private binaries(): string {
    const wanted = this.dataVersion();
    const found = findPostgres(this.config.cacheDir);
    const chosen = found.find(({ major }) => wanted === undefined || major === wanted);
    if (chosen === undefined) throw noBinaries(wanted, this.home);
    if (mayUse(this.account, join(chosen.dir, 'postgres'), '-x')) return chosen.dir;
    const copy = join(this.home, `server-${chosen.version}`);
    if (!existsSync(copy)) {
      rmSync(`${copy}.tmp`, { recursive: true, force: true });
      cpSync(dirname(chosen.dir), `${copy}.tmp`, { recursive: true, verbatimSymlinks: true });
      renameSync(`${copy}.tmp`, copy);
    }
    return join(copy, 'bin');
  }

  private dataVersion(): number | undefined {
    const file = join(this.data, 'PG_VERSION');
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
  }

  private spawnOptions() {
    return { cwd: this.home, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }, ...this.account };
  }
}

function noBinaries(wanted: number | undefined, home: string): DriftError {
  const message =
    wanted === undefined
      ? 'There is no PostgreSQL on this machine: run `npm run setup`, which fetches one, or set DATABASE_URL.'
      : `The database in ${home} was made by PostgreSQL ${wanted}, which is no longer on this machine: install it, or move that directory away.`;
  return new DriftError('stack-unavailable', message, { facts: { wanted, home } });
}
