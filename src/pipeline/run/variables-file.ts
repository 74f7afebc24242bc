import { ConfigError, errorMessage } from '../../lib/errors.ts';
import { parseDotenv } from './dotenv.ts';

/** A variable that the user gave beside the configuration. */
export interface GivenVariable {
  readonly key: string;
  readonly value: string;
  /** The job sees the path of a file with the value. */
  readonly file: boolean;
  readonly masked: boolean;
  /** No `$` inside is expanded. */
  readonly raw: boolean;
}

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads a file of variables: dotenv (`KEY=value` lines), or YAML (a map of names to a scalar or to
 * `{value, type: variable | file, masked, raw}`).
 * @throws ConfigError that names file and line.
 */
export async function parseVariablesFile(text: string, path: string): Promise<readonly GivenVariable[]> {
  if (!isYaml(text, path)) {
    return parseDotenv(text, path).map(({ key, value }) => ({ key, value, ...plain }));
  }
  return await parseYaml(text, path);
}

/**
 * Reads `KEY=VALUE` of the command line.
 * @throws ConfigError
 */
export function parseVariableOption(option: string): GivenVariable {
  const end = option.indexOf('=');
  const key = end === -1 ? option : option.slice(0, end);
  if (end === -1 || !namePattern.test(key)) {
    throw new ConfigError(`--variable ${key}: write it as NAME=VALUE, the name in letters, digits and underscores`);
  }
  return { key, value: option.slice(end + 1), ...plain };
}

const plain = { file: false, masked: false, raw: false } as const;

function isYaml(text: string, path: string): boolean {
  if (/\.ya?ml$/i.test(path)) return true;
  if (/\.env$|(^|\/)\.env/i.test(path)) return false;
  const first = text.split('\n').find((line) => line.trim() !== '' && !line.trim().startsWith('#')) ?? '';
  return !/^\s*(export\s+)?[A-Za-z_][A-Za-z0-9_]*=/.test(first);
}

async function parseYaml(text: string, path: string): Promise<readonly GivenVariable[]> {
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: '1.1' });
  const at = (offset: number | undefined): string => `${path}:${lines.linePos(offset ?? 0).line}`;
  const [problem] = document.errors;
  if (problem !== undefined) throw new ConfigError(`${at(problem.pos[0])}: ${problem.message.split('\n')[0] ?? ''}`);
  if (document.contents === null) return [];
  if (!isMap(document.contents)) throw new ConfigError(`${path}: a map of names to values is expected`);
  return document.contents.items.map((pair) => {
    const place = at(isScalar(pair.key) ? pair.key.range?.[0] : undefined);
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    if (!namePattern.test(key)) throw new ConfigError(`${place}: ${JSON.stringify(key)} is no name of a variable`);
    if (isScalar(pair.value)) return { key, value: scalarText(pair.value.value, pair.value.source), ...plain };
    const described: unknown = isMap(pair.value) ? pair.value.toJSON() : undefined;
    return { key, ...describedVariable(described, key, place) };
  });
}

function describedVariable(described: unknown, key: string, place: string): Omit<GivenVariable, 'key'> {
  if (typeof described !== 'object' || described === null) {
    throw new ConfigError(`${place}: ${key} must be a text, or a map with value, type, masked and raw`);
  }
  const known = ['value', 'type', 'masked', 'raw'];
  const unknown = Object.keys(described).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new ConfigError(`${place}: ${key} has unknown keys: ${unknown.join(', ')}`);
  const { value = '', type = 'variable', masked = false, raw = false } = described as Record<string, unknown>;
  if (type !== 'variable' && type !== 'file') {
    throw new ConfigError(`${place}: the type of ${key} must be "variable" or "file"`);
  }
  if (typeof masked !== 'boolean' || typeof raw !== 'boolean') {
    throw new ConfigError(`${place}: masked and raw of ${key} must be true or false`);
  }
  if (typeof value === 'object' && value !== null)
    throw new ConfigError(`${place}: the value of ${key} must be a text`);
  return { value: scalarText(value, undefined), file: type === 'file', masked, raw };
}

/** Numbers stay as they are written. */
function scalarText(value: unknown, source: string | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  return source ?? JSON.stringify(value) ?? '';
}

/** As `parseVariablesFile`, for errors of reading the file. */
export function unreadableVariablesFile(path: string, error: unknown): ConfigError {
  return new ConfigError(`--variables-file ${path} cannot be read: ${errorMessage(error)}`, { cause: error });
}
