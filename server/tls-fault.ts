/** What a TLS connection failed for, by the codes of Node and of the releases of OpenSSL in it. */
const FAULTS: readonly (readonly [code: RegExp, words: string])[] = [
  [
    /^(?:SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE)$/,
    'its certificate is signed by an authority that is not known here',
  ],
  [/^DEPTH_ZERO_SELF_SIGNED_CERT$/, 'its certificate is signed by itself and not known here'],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet'],
  [/^(?:EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/, 'it speaks no TLS'],
  [/^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/, 'it asks for a client certificate'],
  // TLS 1.2 says no more.
  [/^ERR_SSL_\S*_ALERT_HANDSHAKE_FAILURE$/, 'it refuses the handshake; perhaps it asks for a client certificate'],
  [/^ERR_SSL_\S*_ALERT_CERTIFICATE_EXPIRED$/, 'it refuses the client certificate, which has expired'],
  [/^ERR_SSL_\S*_ALERT_(?:UNKNOWN_CA|\w*CERTIFICATE\w*)$/, 'it refuses the client certificate'],
  [/^ERR_OSSL_X509_KEY_VALUES_MISMATCH$/, 'client certificate and key do not belong together'],
];

/** Why TLS with a server failed, in words, with the code to search for; null for any other fault. OpenSSL's own texts are places in its source. */
export function tlsFault(error: unknown): string | null {
  const { code, host, cert } = (error ?? {}) as { code?: string; host?: string; cert?: { subjectaltname?: string } };
  if (typeof code !== 'string') return null;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is for ${cert?.subjectaltname ?? 'no name'}, not for ${host} (${code})`;
  const words = FAULTS.find(([pattern]) => pattern.test(code))?.[1];
  return words === undefined ? null : `${words} (${code})`;
}
