import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates, rootCertificates } from 'node:tls';

const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const FOLDERS = ['/etc/ssl/certs', '/etc/pki/tls/certs'];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The certificate authorities this machine trusts, as PEM texts without duplicates.
 * `SSL_CERT_FILE` replaces the known bundles, `SSL_CERT_DIR` (a list) the known folders. On a machine that has no
 * store and names none, those that come with Node are taken, so that a bare container can talk to public hosts.
 */
export async function systemCertificates(environment: Environment): Promise<readonly string[]> {
  if (process.platform === 'darwin' || process.platform === 'win32') return getCACertificates('system');
  const file = environment['SSL_CERT_FILE'] ?? '';
  const folders = environment['SSL_CERT_DIR'] ?? '';
  const found = new Set<string>();
  collect(found, await firstReadable(file === '' ? BUNDLES : [file]));
  for (const folder of folders === '' ? FOLDERS : folders.split(':')) await collectFolder(found, folder);
  return found.size === 0 && file === '' && folders === '' ? rootCertificates : [...found];
}

/** Every certificate of a PEM text. */
export function splitCertificates(pem: string): readonly string[] {
  return pem.match(CERTIFICATE) ?? [];
}

function collect(found: Set<string>, pem: string): void {
  for (const certificate of splitCertificates(pem)) found.add(certificate);
}

async function firstReadable(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = await readIfPossible(path);
    if (text !== undefined) return text;
  }
  return '';
}

async function collectFolder(found: Set<string>, folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink() && (await pointsIntoSameFolder(path))) continue;
    if (entry.isFile() || entry.isSymbolicLink()) collect(found, (await readIfPossible(path)) ?? '');
  }
}

/** Hash links of OpenSSL: their target is read anyway. */
async function pointsIntoSameFolder(path: string): Promise<boolean> {
  const target = await readlink(path).catch(() => '');
  return target !== '' && !target.includes('/');
}

function readIfPossible(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
