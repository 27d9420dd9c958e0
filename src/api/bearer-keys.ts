import { hash, timingSafeEqual } from 'node:crypto';

/** Keys that requests may come with as bearer tokens (RFC 6750 section 2.1), each with what it stands for. */
export class BearerKeys<T> {
  private readonly known: { digest: Buffer; value: T }[];

  constructor(keys: { key: string; value: T }[]) {
    this.known = keys.map(({ key, value }) => ({ digest: digestOf(key), value }));
  }

  get none(): boolean {
    return this.known.length === 0;
  }

  /** What the key of an `Authorization` header stands for; undefined where it has none, or one that is not known. */
  find(authorization = ''): T | undefined {
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    if (!token) return undefined;
    const given = digestOf(token);
    return this.known.find(({ digest }) => timingSafeEqual(digest, given))?.value;
  }
}

/** All of one length, as they are compared in constant time. */
const digestOf = (text: string) => hash('sha256', text, 'buffer');
