import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DriftError } from '../drift-error.js';

export type OauthSource =
  /** A token that something else keeps fresh, such as a projected service account. */
  | { file: string }
  /** OAuth 2.0 client credentials (RFC 6749, 4.4). */
  | { url: string; clientId: string; clientSecret: string; scope?: string };

const TIMEOUT_MS = 10_000;
const answerSchema = z.object({ access_token: z.string().min(1) });

/** Gets a token each time a connection needs one. The function throws DriftError `broker-unavailable`. */
export function oauthToken(source: OauthSource): () => Promise<{ value: string }> {
  return async () => {
    try {
      const value = 'file' in source ? (await readFile(source.file, 'utf8')).trim() : await request(source);
      return { value };
    } catch (cause) {
      const from = 'file' in source ? source.file : source.url;
      const message = `No OAuth token for Kafka from ${from}: ${(cause as Error).message}.`;
      throw new DriftError('broker-unavailable', message, { cause, retriable: true });
    }
  };
}

async function request({ url, clientId, clientSecret, scope }: Extract<OauthSource, { url: string }>): Promise<string> {
  const credentials = [clientId, clientSecret].map(encodeURIComponent).join(':');
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  return answerSchema.parse(await response.json()).access_token;
}
