import type { OpenObjectStore } from '../../cache/object-store.ts';

/** The stores that `--gocloud-url` may name, by scheme; each is loaded when it is used. */
export const objectStoreOpeners: Readonly<Record<string, () => Promise<OpenObjectStore>>> = {};
