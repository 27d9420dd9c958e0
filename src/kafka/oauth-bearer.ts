import kafkajs, { type Mechanism } from 'kafkajs';
import { DriftError } from '../drift-error.js';

const SOH = '\u0001';

/**
 * SASL OAUTHBEARER (RFC 7628). Not kafkajs's own: that takes a refusal for success, as the broker puts it into an answer
 * without an error code, and then only sees the connection close.
 * @throws DriftError `broker-unavailable`, from where kafkajs logs in
 */
export function oauthBearer(accessToken: () => Promise<string>): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ host, port, saslAuthenticate }) => ({
      authenticate: async () => {
        const token = `n,,${SOH}auth=Bearer ${await tokenOrNewConnection(accessToken, `${host}:${port}`)}${SOH}${SOH}`;
        const refusal = await saslAuthenticate({ request: bytes(token), response: TEXT });
        if (!refusal) return;
        // Ends the exchange, so that the broker closes the connection.
        await saslAuthenticate({ request: bytes(SOH), response: TEXT }).catch(() => {});
        const message = `The broker refused the access token: ${refusal}. Compare what it demands of tokens: issuer, audience, scope, time.`;
        throw new DriftError('broker-unavailable', message);
      },
    }),
  };
}

/** The login has begun by now: while there is no token, kafkajs has to try again on another connection. */
async function tokenOrNewConnection(accessToken: () => Promise<string>, broker: string): Promise<string> {
  try {
    return await accessToken();
  } catch (cause) {
    if (!(cause instanceof DriftError && cause.retriable)) throw cause;
    throw Object.assign(new kafkajs.KafkaJSConnectionError(cause.message, { broker }), { cause });
  }
}

/** Byte strings of Kafka's protocol begin with their length. */
const SIZE_BYTES = 4;

const TEXT = {
  decode: async (answer: Buffer) => answer.subarray(SIZE_BYTES),
  parse: (text: Buffer) => text.toString(),
};

function bytes(text: string) {
  const size = Buffer.alloc(SIZE_BYTES);
  size.writeInt32BE(Buffer.byteLength(text));
  return { encode: () => Buffer.concat([size, Buffer.from(text)]) };
}
