import type { RunnerConfig } from '../../config/runner-config.ts';
import { ConfigError } from '../../lib/errors.ts';
import { azureServiceUrl } from './azure-address.ts';
import { delegationKeys } from './azure-delegation.ts';
import { azureTokens } from './azure-identity.ts';
import { accountKeySas, type SasScope, userDelegationSas } from './azure-sas.ts';
import type { CacheAccess, CacheSettings, CacheStore, CacheStorePorts } from './cache-store.ts';
import { azureBlobName } from './object-names.ts';
import { encodePath } from './sigv4.ts';

type AzureSettings = NonNullable<RunnerConfig['cache']['azure']>;

const hourMs = 3_600_000;

/**
 * Azure Blob Storage: the helper gets a token for one blob and opens it itself (spec cache-artifacts.md §11.3).
 * A token for uploading can read that blob too, so that what did not change is not sent again.
 * @throws ConfigError
 */
export function createAzureCacheStore(settings: CacheSettings, ports: CacheStorePorts): CacheStore {
  const { azure } = settings;
  if (azure === undefined) {
    throw new ConfigError('missing Azure configuration', { hint: 'Add a [runners.cache.azure] table.' });
  }
  if (azure.accountName === '') throw new ConfigError('config for Azure present, but account name is not configured');
  if (azure.containerName === '') throw new ConfigError("ContainerName can't be empty");
  const sign = signerFor(azure, ports);
  return {
    access: async (object, direction, signal): Promise<CacheAccess> => {
      const name = object.name.replace(/^\/+/, '');
      const scope = {
        account: azure.accountName,
        container: azure.containerName,
        blob: azureBlobName(name),
        permissions: direction === 'upload' ? 'rw' : 'r',
        startsAtMs: ports.now() - hourMs,
        expiresAtMs: ports.now() + object.lifetimeMs,
      };
      return {
        kind: 'direct',
        url: `azblob://${azure.containerName}/${encodePath(name)}`,
        environment: {
          AZURE_STORAGE_ACCOUNT: azure.accountName,
          AZURE_STORAGE_DOMAIN: azure.storageDomain,
          AZURE_STORAGE_SAS_TOKEN: await sign(scope, signal),
        },
        problem: undefined,
      };
    },
  };
}

function signerFor(
  azure: AzureSettings,
  ports: CacheStorePorts,
): (scope: SasScope, signal: AbortSignal) => Promise<string> {
  if (azure.accountKey !== '') {
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(azure.accountKey)) {
      throw new ConfigError('AccountKey of [runners.cache.azure] is not a key: it is base64 text');
    }
    return async (scope) => await Promise.resolve(accountKeySas(scope, azure.accountKey));
  }
  const serviceUrl = azureServiceUrl({ account: azure.accountName, domain: azure.storageDomain });
  const keys = delegationKeys(serviceUrl, azureTokens(ports), ports);
  return async (scope, signal) => userDelegationSas(scope, await keys.until(scope.expiresAtMs, signal));
}
