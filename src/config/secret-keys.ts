import type { TomlNode, TomlTable } from './toml-document.ts';

/** Keys that hold a password, key or token; `*` = every entry of an array. */
const secretKeys: readonly (readonly string[])[] = [
  ['sentry_dsn'],
  ['runners', '*', 'token'],
  ['runners', '*', 'ssh', 'password'],
  ['runners', '*', 'kubernetes', 'bearer_token'],
  ['runners', '*', 'cache', 's3', 'AccessKey'],
  ['runners', '*', 'cache', 's3', 'SecretKey'],
  ['runners', '*', 'cache', 's3', 'SessionToken'],
  ['runners', '*', 'cache', 'gcs', 'PrivateKey'],
  ['runners', '*', 'cache', 'azure', 'AccountKey'],
  ['runners', '*', 'autoscaler', 'connector_config', 'password'],
  ['runners', '*', 'autoscaler', 'vm_isolation', 'connector_config', 'password'],
];

/** The whole value must be the reference: a key may hold a `$` of its own. */
const reference = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

export interface ExpandedSecrets {
  readonly document: TomlNode;
  /** How many secrets stand in the file itself. */
  readonly literals: number;
  /** Variables that are named and not set. */
  readonly unset: readonly string[];
}

/**
 * Takes secrets written `${NAME}` from the environment, in memory only. Tokens of runners are left to their reader, as
 * `$NAME` has always worked there.
 */
export function expandSecrets(
  document: TomlNode,
  environment: Readonly<Record<string, string | undefined>>,
): ExpandedSecrets {
  let literals = 0;
  const unset = new Set<string>();
  const expand = (node: TomlNode, path: readonly string[], isToken: boolean): TomlNode => {
    const [key, ...rest] = path;
    if (key === undefined) {
      if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value === '') return node;
      const name = isToken ? undefined : reference.exec(node.value)?.[1];
      if (name === undefined) {
        if (!node.value.startsWith('$')) literals += 1;
        return node;
      }
      const value = environment[name];
      if (value === undefined) unset.add(name);
      return { ...node, value: value ?? '' };
    }
    if (node.kind === 'array') return { ...node, items: node.items.map((item) => expand(item, rest, isToken)) };
    const member = node.kind === 'table' ? node.entries.get(key) : undefined;
    if (node.kind !== 'table' || member === undefined) return node;
    return withEntry(node, key, expand(member, rest, isToken));
  };
  let expanded = document;
  for (const path of secretKeys) expanded = expand(expanded, path, path.at(-1) === 'token');
  return { document: expanded, literals, unset: [...unset] };
}

function withEntry(table: TomlTable, key: string, value: TomlNode): TomlTable {
  return { ...table, entries: new Map([...table.entries, [key, value]]) };
}
