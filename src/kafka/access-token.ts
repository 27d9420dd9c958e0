import { readFile } from 'node:fs/promises';
import * as oauth from 'oauth4webapi';
import type { ClientCredentials } from '../config/kafka-security.js';
import { DriftError } from '../drift-error.js';

/** A token is used for this share of its life, then another one is asked for. */
const USED_SHARE = 0.8;
const TIMEOUT_MS = 10_000;

/**
 * Reads the token anew each time: something else keeps the file fresh, such as Kubernetes a service account's.
 * @throws DriftError `broker-unavailable`
 */
export async function tokenOfFile(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    const message = `There is no access token: ${(cause as Error).message}. Check DRIFTLOOP_KAFKA_OAUTH_TOKEN_FILE.`;
    throw new DriftError('broker-unavailable', message, { cause, retriable: true });
  }
}

interface Token {
  value: Promise<string>;
  /** Milliseconds, as of the clock. */
  usableUntil: number;
}

/**
 * Gives an access token for the client credentials: the one it has, while that is not near its end. A token that does
 * not say how long it lives is used once. Who asks at the same time waits for the same answer.
 * @throws DriftError `broker-unavailable`, retriable unless the endpoint refused the client
 */
export function accessTokens(login: ClientCredentials, now: () => number = Date.now): () => Promise<string> {
  let token: Token | undefined;
  return () => {
    if (!token || now() >= token.usableUntil) token = ask(login, now);
    return token.value;
  };
}

function ask(login: ClientCredentials, now: () => number): Token {
  const asked = requestToken(login);
  const token = { value: asked.then(({ access_token }) => access_token), usableUntil: Number.POSITIVE_INFINITY };
  asked.then(
    ({ expires_in = 0 }) => {
      token.usableUntil = now() + expires_in * 1_000 * USED_SHARE;
    },
    () => {
      token.usableUntil = 0;
    },
  );
  return token;
}

async function requestToken({ tokenUrl, clientId, clientSecret, scope }: ClientCredentials) {
  const server = { issuer: tokenUrl, token_endpoint: tokenUrl };
  const client = { client_id: clientId };
  // The configuration takes http from this machine only.
  const options = {
    [oauth.allowInsecureRequests]: tokenUrl.startsWith('http:'),
    signal: () => AbortSignal.timeout(TIMEOUT_MS),
  };
  const parameters: Record<string, string> = scope === undefined ? {} : { scope };
  try {
    const secret = oauth.ClientSecretBasic(clientSecret);
    const response = await oauth.clientCredentialsGrantRequest(server, client, secret, parameters, options);
    return await oauth.processClientCredentialsResponse(server, client, response);
  } catch (cause) {
    throw failure(tokenUrl, cause as Error);
  }
}

function failure(tokenUrl: string, cause: Error): DriftError {
  const { host, pathname } = new URL(tokenUrl);
  const refused = cause instanceof oauth.ResponseBodyError || cause instanceof oauth.WWWAuthenticateChallengeError;
  const why = cause instanceof oauth.ResponseBodyError ? cause.error : (causeOf(cause)?.message ?? cause.message);
  const check = refused ? 'CLIENT_ID, _CLIENT_SECRET and _SCOPE' : 'TOKEN_URL';
  const message = `The token endpoint ${host}${pathname} gave no token: ${why}. Check DRIFTLOOP_KAFKA_OAUTH_${check}.`;
  return new DriftError('broker-unavailable', message, { cause, retriable: !refused });
}

/** `fetch` says "fetch failed", and why in its cause. */
function causeOf({ cause }: Error): Error | undefined {
  return cause instanceof Error && cause.message ? cause : undefined;
}
