import type { OpenObjectStore } from '../../cache/object-store.ts';

/** The stores that `--gocloud-url` may name, by scheme; each is loaded when it is used. */
export const objectStoreOpeners: Readonly<Record<string, () => Promise<OpenObjectStore>>> = {
  s3: async () => (await import('../../cache/adapters/s3-object-store.ts')).openS3Store,
  azblob: async () => (await import('../../cache/adapters/azure-object-store.ts')).openAzureStore,
  gs: async () => (await import('../../cache/adapters/gcs-object-store.ts')).openGcsStore,
};
