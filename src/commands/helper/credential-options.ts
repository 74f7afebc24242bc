import type { JobCredentials } from '../../artifacts/http-port.ts';
import { apiBaseUrl } from '../../gitlab/api-url.ts';
import { integerOption, type OptionValues, textOption } from './options.ts';
import { helperUserAgent } from './transfer-http.ts';

/** Options of the commands that talk to the coordinator for a job. */
export const credentialOptions = {
  id: integerOption('The build ID to handle artifacts for', { environment: 'CI_JOB_ID' }),
  token: textOption('Build token', { environment: 'CI_JOB_TOKEN' }),
  url: textOption('GitLab CI URL', { environment: 'CI_SERVER_URL' }),
  'tls-ca-file': textOption('File containing the certificates to verify the peer when using HTTPS', {
    environment: 'CI_SERVER_TLS_CA_FILE',
  }),
  'tls-cert-file': textOption('File containing certificate for TLS client auth when using HTTPS', {
    environment: 'CI_SERVER_TLS_CERT_FILE',
  }),
  'tls-key-file': textOption('File containing private key for TLS client auth when using HTTPS', {
    environment: 'CI_SERVER_TLS_KEY_FILE',
  }),
} as const;

type CredentialValues = OptionValues<typeof credentialOptions>;
type TlsValues = Pick<CredentialValues, 'tls-ca-file' | 'tls-cert-file' | 'tls-key-file'>;

/** @throws ApiError for a URL that cannot be used. */
export function credentialsFrom(options: Pick<CredentialValues, 'url' | 'id' | 'token'>): JobCredentials {
  return {
    apiUrl: apiBaseUrl(options.url),
    jobId: options.id,
    token: options.token,
    userAgent: helperUserAgent(),
  };
}

export function tlsFilesFrom(options: TlsValues) {
  return { caFile: options['tls-ca-file'], certFile: options['tls-cert-file'], keyFile: options['tls-key-file'] };
}
