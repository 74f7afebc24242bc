import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ConfigError, errorMessage } from '../lib/errors.ts';

/**
 * TLS for a container daemon (spec docker.md §2): with a folder its `ca.pem` is the only authority and `cert.pem` and
 * `key.pem` are ours; without one the system's authorities count and we show no certificate.
 * @throws ConfigError when a file cannot be read or used.
 */
export async function loadDaemonTls(folder: string): Promise<SecureContext> {
  if (folder === '') return createSecureContext({ minVersion: 'TLSv1.2' });
  try {
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    return createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    });
  } catch (error) {
    throw new ConfigError(`cannot use the Docker certificates in ${folder}: ${errorMessage(error)}`, {
      cause: error,
      hint: 'tls_cert_path (DOCKER_CERT_PATH) names a folder with ca.pem, cert.pem and key.pem.',
    });
  }
}
