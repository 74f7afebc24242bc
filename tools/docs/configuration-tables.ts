import { z } from 'zod';
import { configSchema } from '../../src/config/schema.ts';

interface Key {
  readonly name: string;
  readonly type: string;
  readonly fallback: string;
  readonly description: string;
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly default?: unknown;
  readonly description?: string;
}

/** The tables of docs/configuration.md: one per table of config.toml, from its schema. */
export function configurationTables(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return tablesOf('', schema).join('\n\n');
}

function tablesOf(path: string, schema: JsonSchema, isList = false): readonly string[] {
  const keys: Key[] = [];
  const inner: string[] = [];
  for (const [name, value] of Object.entries(schema.properties ?? {})) {
    const table = value.properties === undefined ? value.items : value;
    if (table?.properties === undefined) keys.push(keyOf(name, value));
    else inner.push(...tablesOf(path === '' ? name : `${path}.${name}`, table, value.type === 'array'));
  }
  const heading = path === '' ? '## Global keys' : `## \`${isList ? `[[${path}]]` : `[${path}]`}\``;
  const rows = keys.map((key) => `| \`${key.name}\` | ${key.type} | ${key.fallback} | ${key.description} |`);
  return [
    [heading, '', '| key | type | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    ...inner,
  ];
}

function keyOf(name: string, schema: JsonSchema): Key {
  return {
    name,
    type: typeName(schema),
    fallback: schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``,
    description: schema.description ?? '',
  };
}

/** Only durations are written as a text or a number. */
function typeName(schema: JsonSchema): string {
  if (schema.anyOf?.some(({ type }) => type === 'array') === true) return 'string or string[]';
  if (schema.anyOf !== undefined || typeof schema.type === 'object') return 'duration';
  if (schema.type === 'array') return `${typeName(schema.items ?? {})}[]`;
  if (schema.type === 'object') return 'table';
  return schema.type ?? 'datetime';
}
