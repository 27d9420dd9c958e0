const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

/**
 * What to do about a TLS connection that failed, by Node's error code; undefined where the code says nothing of that.
 * @param settings how the CA and the client's certificate are configured
 */
export function tlsAdvice(code: string | undefined, settings: { ca: string; certificate: string }): string | undefined {
  if (code === undefined) return undefined;
  if (UNTRUSTED.has(code))
    return `The CA that signed the server's certificate is not trusted: it belongs into ${settings.ca}.`;
  if (code === 'CERT_HAS_EXPIRED') return "The server's certificate has expired: it has to be renewed.";
  if (code === 'CERT_NOT_YET_VALID') return "The server's certificate is not valid yet: compare the clocks.";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'Use a name of the server that its certificate is for.';
  if (/^ERR_SSL_.*ALERT/.test(code))
    return `The server refused the client's certificate, or wants one: check ${settings.certificate}.`;
  return undefined;
}
