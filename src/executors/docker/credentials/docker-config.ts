import * as z from 'zod';

/** Credentials of one registry, as `X-Registry-Auth` wants them. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly identityToken: string;
  readonly registryToken: string;
  /** As the source spells it. */
  readonly serverAddress: string;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

const configSchema = z.object({
  auths: z
    .record(
      z.string(),
      z.object({ auth: text, username: text, password: text, identitytoken: text, registrytoken: text }).nullish(),
    )
    .nullish(),
  credsStore: text,
  credHelpers: z.record(z.string(), z.string()).nullish(),
});

/** What a Docker configuration says about credentials. */
export interface DockerCredentials {
  readonly auths: ReadonlyMap<string, RegistryAuth>;
  /** Empty = none. */
  readonly store: string;
  /** Registry → helper. */
  readonly helpers: ReadonlyMap<string, string>;
}

/**
 * Parses a config.json; a `.dockercfg` is the table of `auths` alone.
 * @throws Error with what is wrong, without the text.
 */
export function parseDockerConfig(content: string, isLegacy = false): DockerCredentials {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new Error('it is no valid JSON');
  }
  const parsed = configSchema.safeParse(isLegacy ? { auths: value } : value);
  if (!parsed.success)
    throw new Error(`it is no Docker configuration: ${z.prettifyError(parsed.error).split('\n')[0]}`);
  const { auths, credsStore, credHelpers } = parsed.data;
  const entries = Object.entries(auths ?? {}).flatMap(([key, entry]): [string, RegistryAuth][] =>
    entry === null || entry === undefined ? [] : [[key, toAuth(key, entry)]],
  );
  return { auths: new Map(entries), store: credsStore, helpers: new Map(Object.entries(credHelpers ?? {})) };
}

interface AuthEntry {
  readonly auth: string;
  readonly username: string;
  readonly password: string;
  readonly identitytoken: string;
  readonly registrytoken: string;
}

function toAuth(serverAddress: string, entry: AuthEntry): RegistryAuth {
  const { username, password } = entry.auth === '' ? entry : decodeAuth(serverAddress, entry.auth);
  return { username, password, identityToken: entry.identitytoken, registryToken: entry.registrytoken, serverAddress };
}

function decodeAuth(serverAddress: string, encoded: string) {
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) throw new Error(`the entry "auth" of ${serverAddress} is not the base64 of user:password`);
  // Some tools pad the password with zero bytes.
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
}

/** The header of a pull. */
export function registryAuthHeader(auth: RegistryAuth): string {
  const value = {
    ...(auth.username === '' ? {} : { username: auth.username }),
    ...(auth.password === '' ? {} : { password: auth.password }),
    ...(auth.serverAddress === '' ? {} : { serveraddress: auth.serverAddress }),
    ...(auth.identityToken === '' ? {} : { identitytoken: auth.identityToken }),
    ...(auth.registryToken === '' ? {} : { registrytoken: auth.registryToken }),
  };
  return Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
