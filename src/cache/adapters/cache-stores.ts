import { ConfigError } from '../../lib/errors.ts';
import type { CacheSettings, CacheStore, CacheStorePorts, CreateCacheStore } from './cache-store.ts';

/** Kinds of stores by their name in config.toml; each is loaded when a runner has it. */
export type CacheStoreTable = ReadonlyMap<string, () => Promise<CreateCacheStore>>;

/** The stores of all runners; equal settings share one, with its credentials and what it learned. */
export interface CacheStores {
  /** @throws ConfigError when the settings make none. */
  storeFor(settings: CacheSettings): Promise<CacheStore>;
}

export function createCacheStores(table: CacheStoreTable, ports: () => CacheStorePorts): CacheStores {
  const stores = new Map<string, Promise<CacheStore>>();
  let shared: CacheStorePorts | undefined;

  async function create(settings: CacheSettings): Promise<CacheStore> {
    const load = table.get(settings.type);
    if (load === undefined) {
      const known = [...table.keys()].sort().join(', ');
      throw new ConfigError(
        `cache factory not found: factory for cache adapter ${JSON.stringify(settings.type)} was not registered (registered adapters: ${known})`,
      );
    }
    const make = await load();
    shared ??= ports();
    return make(settings, shared);
  }

  return {
    storeFor: async (settings) => {
      const key = JSON.stringify(settings);
      const store = stores.get(key) ?? create(settings);
      stores.set(key, store);
      return await store;
    },
  };
}
