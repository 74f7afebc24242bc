import { ConfigError } from '../lib/errors.ts';
import type { CacheTransfer } from './cache-transfer.ts';
import { parseEnvFile } from './env-file.ts';
import type { ObjectStore, OpenObjectStore } from './object-store.ts';

/** An object in a store that is opened with the job's own credentials. */
export interface ObjectPlace {
  readonly store: ObjectStore;
  readonly name: string;
  /** For the log: without what gives access. */
  readonly shownUrl: string;
}

/** How the stores that URLs name are opened. */
export interface ObjectStoreAccess {
  /** By scheme (`s3`); each is loaded when it is used. */
  readonly openers: Readonly<Record<string, () => Promise<OpenObjectStore>>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
}

/**
 * Opens the place a URL like `s3://bucket/name?region=…` names.
 * @throws ConfigError for a URL that names none.
 */
export async function openPlace(
  text: string,
  access: ObjectStoreAccess,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<ObjectPlace> {
  const url = URL.parse(text);
  if (url === null) throw new ConfigError('the URL of the cache (--gocloud-url) cannot be read');
  const name = objectName(url);
  if (name === '') throw new ConfigError('no object name provided');
  const scheme = url.protocol.slice(0, -1);
  const load = Object.hasOwn(access.openers, scheme) ? access.openers[scheme] : undefined;
  if (load === undefined) {
    const known = Object.keys(access.openers).join(', ');
    throw new ConfigError(`cache URLs with the scheme "${scheme}" are not supported`, { hint: `Known are: ${known}.` });
  }
  const open = await load();
  const { http, log, timeoutMs } = transfer;
  const store = await open(url, { http, log, environment: access.environment, now: access.now, timeoutMs }, signal);
  return { store, name, shownUrl: `${url.protocol}//${url.host}${url.pathname}` };
}

/**
 * The environment with the variables of the manager's file on top.
 * @param text undefined = the file cannot be read.
 */
export function environmentWith(
  environment: Readonly<Record<string, string | undefined>>,
  text: string | undefined,
): Readonly<Record<string, string | undefined>> {
  return { ...environment, ...parseEnvFile(text ?? '') };
}

function objectName(url: URL): string {
  const path = url.pathname.replace(/^\/+/, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
