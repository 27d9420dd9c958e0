import { afterEach, beforeEach, expect, it } from 'vitest';
import { CLIENT, TokenEndpoint } from '../../test/secure/token-endpoint.js';
import { accessTokens } from './access-token.js';

let endpoint: TokenEndpoint;
let seconds: number;
let token: () => Promise<string>;
beforeEach(async () => {
  endpoint = await TokenEndpoint.start();
  seconds = 0;
  const client = { clientId: CLIENT.id, clientSecret: CLIENT.secret };
  token = accessTokens({ ...client, tokenUrl: endpoint.url, scope: 'a b' }, () => seconds * 1_000);
});
afterEach(() => endpoint.close());

it('asks once for all who ask at the same time, and again before the token ends', async () => {
  endpoint.expiresIn = 100;
  expect(new Set(await Promise.all([token(), token(), token()])).size).toBe(1);
  seconds = 79;
  await token();
  expect(endpoint.given).toBe(1);
  seconds = 80;
  await token();
  expect(endpoint.given).toBe(2);
});

it('asks for the scopes that are configured', async () => {
  const [, claims] = (await token()).split('.');
  expect(JSON.parse(Buffer.from(claims!, 'base64url').toString())).toMatchObject({ scope: 'a b', sub: CLIENT.id });
});

it('does not keep a failure, nor a token that does not say how long it lives', async () => {
  const { url } = endpoint;
  await endpoint.close();
  await expect(token()).rejects.toMatchObject({ code: 'broker-unavailable', retriable: true });
  endpoint = await TokenEndpoint.start(Number(new URL(url).port));
  endpoint.expiresIn = undefined;
  await token();
  await token();
  expect(endpoint.given).toBe(2);
});
