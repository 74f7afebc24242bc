import type { JsonValue } from '../../lib/json.ts';
import { type Position, toPlain, type YamlNode } from '../yaml/nodes.ts';
import { type Entry, entryProblem, type Fields, fieldsOf } from '../yaml/reader.ts';

export const SECRET_PROVIDERS = [
  'vault',
  'gcp_secret_manager',
  'azure_key_vault',
  'aws_secrets_manager',
  'gitlab_secrets_manager',
  'akeyless',
] as const;
export type SecretProvider = (typeof SECRET_PROVIDERS)[number];

/** One entry of `secrets`. */
export interface SecretConfig {
  readonly key: string;
  readonly provider: SecretProvider;
  /** The provider's value as written. */
  readonly source: JsonValue;
  readonly file: boolean;
  /** Text with the token's variable, such as `$VAULT_ID_TOKEN`. */
  readonly token: string | undefined;
  readonly at: Position;
}

/** One entry of `id_tokens`. */
export interface IdTokenConfig {
  readonly key: string;
  readonly audiences: readonly string[];
  readonly at: Position;
}

const SECRET_KEYS = new Set([...SECRET_PROVIDERS, 'file', 'token']);
const TOKEN_KEYS = new Set(['aud', 'sub_components']);

/** Reads `secrets` (spec local-pipeline.md §9.2). */
export function readSecrets(entry: Entry): readonly SecretConfig[] {
  return eachOf(entry, SECRET_KEYS, (fields, key, at) => {
    const providers = SECRET_PROVIDERS.filter((provider) => fields.has(provider));
    const provider = providers[0];
    const source: YamlNode | undefined = provider === undefined ? undefined : fields.get(provider);
    if (provider === undefined || source === undefined || providers.length > 1) {
      entryProblem(
        { ...entry, location: fields.location },
        `must use exactly one of these keys: ${SECRET_PROVIDERS.join(', ')}`,
        at,
      );
      return undefined;
    }
    return {
      key,
      provider,
      source: toPlain(source),
      file: fields.boolean('file') ?? true,
      token: fields.string('token'),
      at,
    };
  });
}

/** Reads `id_tokens`. */
export function readIdTokens(entry: Entry): readonly IdTokenConfig[] {
  return eachOf(entry, TOKEN_KEYS, (fields, key, at) => {
    const audiences = fields.stringOrStrings('aud');
    if (!fields.has('aud')) fields.problem('aud', "can't be blank", at);
    return { key, audiences: audiences ?? [], at };
  });
}

function eachOf<T>(
  entry: Entry,
  keys: ReadonlySet<string>,
  read: (fields: Fields, key: string, at: Position) => T | undefined,
): readonly T[] {
  const all = fieldsOf(entry, undefined);
  if (all === undefined) return [];
  return [...all.node.entries.values()].flatMap((item) => {
    const fields = fieldsOf(
      { node: item.value, location: `${entry.location}:${item.key}`, problems: entry.problems },
      keys,
    );
    return fields === undefined ? [] : (read(fields, item.key, item.keyAt) ?? []);
  });
}
