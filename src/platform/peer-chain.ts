import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** PEM texts of the certificates a server was verified with: leaf, intermediates, root. */
export function peerChain(socket: TLSSocket): readonly string[] {
  const chain: string[] = [];
  const seen = new Set<string>();
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && !seen.has(certificate.fingerprint256)) {
    seen.add(certificate.fingerprint256);
    chain.push(toPem(certificate.raw));
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----`;
}
