import kafkajs from 'kafkajs';
import type { KafkaSecurity } from '../config/kafka-security.js';
import { DriftError } from '../drift-error.js';
import { tlsAdvice } from '../tls-advice.js';

const TLS_SETTINGS = { ca: 'DRIFTLOOP_KAFKA_TLS_CA', certificate: 'DRIFTLOOP_KAFKA_TLS_CERT' };

/** @param what was wanted of the brokers: the beginning of the message */
export function brokerUnavailable(what: string, cause: unknown, security?: KafkaSecurity): DriftError {
  const message = `${what}: ${explainBrokerError(cause, security)}`;
  return new DriftError('broker-unavailable', message, { cause, retriable: true });
}

/** What the client says went wrong, and what to do about it; of another error what it says itself. */
export function explainBrokerError(error: unknown, security: KafkaSecurity = {}): string {
  const causes = [...causesOf(error)];
  const own = causes.find((cause) => cause instanceof DriftError);
  if (own) return own.message;
  if (!causes.some((cause) => cause instanceof kafkajs.KafkaJSError)) return String(error);
  const text = causes[0]!.message.replace(/\.?$/, '.');
  return [text, advice(causes, security)].filter(Boolean).join(' ');
}

function advice(causes: Error[], { tls, sasl }: KafkaSecurity): string | undefined {
  if (causes.some(isLoginRefused)) return loginAdvice(sasl);
  // A broker that answers is the right one.
  if (causes.some((cause) => cause instanceof kafkajs.KafkaJSProtocolError)) return undefined;
  const codes = causes.map(({ code }: Error & { code?: unknown }) => code).filter((code) => typeof code === 'string');
  const known = codes.map((code) => tlsAdvice(code, TLS_SETTINGS)).find(Boolean);
  if (known) return known;
  if (codes.includes('ECONNREFUSED') || codes.includes('ENOTFOUND')) return 'Check KAFKA_BROKERS.';
  const wanted = tls ? 'speaks TLS (DRIFTLOOP_KAFKA_TLS is true)' : 'wants TLS (DRIFTLOOP_KAFKA_TLS is false)';
  const login = sasl ? '' : ' or a login (DRIFTLOOP_KAFKA_SASL_MECHANISM is not set)';
  return `Check KAFKA_BROKERS, and whether that port ${wanted}${login}.`;
}

function loginAdvice(sasl: KafkaSecurity['sasl']): string {
  const rest = sasl?.mechanism === 'oauthbearer' ? ' and the OAuth settings' : ', _USERNAME and _PASSWORD';
  return `Check DRIFTLOOP_KAFKA_SASL_MECHANISM${rest}.`;
}

function isLoginRefused(error: Error & { type?: string }): boolean {
  return error instanceof kafkajs.KafkaJSSASLAuthenticationError || error.type === 'SASL_AUTHENTICATION_FAILED';
}

/** The error itself first. */
export function* causesOf(error: unknown): Generator<Error> {
  for (let cause = error; cause instanceof Error; cause = cause.cause) yield cause;
}
