import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CLIENT = { id: 'driftloop client', secret: 'secret:of/the+client' };
export const ISSUER = 'https://issuer.test';
export const AUDIENCE = 'kafka';
/** Seconds. */
const LIFETIME = 3_600;

/** A token endpoint that gives signed tokens for client credentials, over HTTP on the loopback interface. */
export class TokenEndpoint {
  /** How many tokens it gave. */
  given = 0;
  /** What the next tokens say instead. */
  claims: Record<string, unknown> = {};
  /** How long it says that they live, seconds. */
  expiresIn: number | undefined = LIFETIME;
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private readonly kid = randomUUID();

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<TokenEndpoint> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const endpoint = new TokenEndpoint(server);
    server.on('request', async (request, response) => {
      const body = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
      const { status, answer } = endpoint.answer(request.headers.authorization, body);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/token`;
  }

  /** The public key, as brokers read it. */
  get jwks(): unknown {
    return { keys: [{ ...this.keys.publicKey.export({ format: 'jwk' }), kid: this.kid, alg: 'RS256', use: 'sig' }] };
  }

  reset(): void {
    this.claims = {};
    this.expiresIn = LIFETIME;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private answer(authorization: string | undefined, body: URLSearchParams) {
    const encoded = [CLIENT.id, CLIENT.secret].map((text) => new URLSearchParams({ text }).toString().slice(5));
    const expected = `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
    if (authorization !== expected) return { status: 401, answer: { error: 'invalid_client' } };
    if (body.get('grant_type') !== 'client_credentials') {
      return { status: 400, answer: { error: 'unsupported_grant_type' } };
    }
    this.given++;
    return {
      status: 200,
      answer: {
        access_token: this.token(body.get('scope') ?? undefined),
        token_type: 'Bearer',
        expires_in: this.expiresIn,
      },
    };
  }

  /** A signed token, as it gives them. */
  token(scope?: string): string {
    const now = Math.floor(Date.now() / 1_000);
    const header = { alg: 'RS256', typ: 'JWT', kid: this.kid };
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: CLIENT.id, iat: now, exp: now + LIFETIME, scope, ...this.claims };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${sign('sha256', Buffer.from(text), this.keys.privateKey).toString('base64url')}`;
  }
}
