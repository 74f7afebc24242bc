import { ConfigError } from '../../lib/errors.ts';
import { azureServiceUrl } from './azure-address.ts';

/** How a helper command may use an account. */
export type AzureAccess = { readonly serviceUrl: string } & (
  | { readonly kind: 'key'; readonly account: string; readonly key: string }
  | { readonly kind: 'sas'; readonly token: string }
  | { readonly kind: 'identity' }
);

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the variables of spec cache-artifacts.md §11.3; a key goes before a token. @throws ConfigError */
export function readAzureAccess(environment: Environment): AzureAccess {
  const connection = environment['AZURE_STORAGE_CONNECTION_STRING'] ?? '';
  if (connection !== '') return fromConnectionString(connection);
  const account = environment['AZURE_STORAGE_ACCOUNT'] ?? '';
  if (account === '') {
    throw new ConfigError('AZURE_STORAGE_ACCOUNT is not set', {
      hint: 'The runner manager sets it for a cache of type azure; see AccountName in [runners.cache.azure].',
    });
  }
  const serviceUrl = azureServiceUrl({
    account,
    domain: environment['AZURE_STORAGE_DOMAIN'] ?? '',
    protocol: environment['AZURE_STORAGE_PROTOCOL'] || 'https',
  });
  return withCredentials(
    serviceUrl,
    account,
    environment['AZURE_STORAGE_KEY'] ?? '',
    environment['AZURE_STORAGE_SAS_TOKEN'] ?? '',
  );
}

function fromConnectionString(text: string): AzureAccess {
  const parts = new Map(
    text
      .split(';')
      .filter((part) => part.includes('='))
      .map((part) => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1).trim()] as const),
  );
  const account = parts.get('AccountName') ?? '';
  const suffix = parts.get('EndpointSuffix') ?? 'core.windows.net';
  const protocol = parts.get('DefaultEndpointsProtocol') ?? 'https';
  const serviceUrl = parts.get('BlobEndpoint') ?? azureServiceUrl({ account, domain: `blob.${suffix}`, protocol });
  if (account === '' && !parts.has('BlobEndpoint')) {
    throw new ConfigError('AZURE_STORAGE_CONNECTION_STRING names neither an account nor a BlobEndpoint');
  }
  const signature = parts.get('SharedAccessSignature') ?? '';
  return withCredentials(serviceUrl, account, parts.get('AccountKey') ?? '', signature);
}

function withCredentials(serviceUrl: string, account: string, key: string, token: string): AzureAccess {
  if (key !== '') return { kind: 'key', serviceUrl, account, key };
  if (token !== '') return { kind: 'sas', serviceUrl, token: token.replace(/^\?/, '') };
  return { kind: 'identity', serviceUrl };
}
