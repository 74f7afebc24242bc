import { ConfigError } from '../../lib/errors.ts';
import { type DocumentProblem, documentProblems } from '../document-problems.ts';
import { matchKeys } from '../match-keys.ts';
import { typeProblems } from '../read-document.ts';
import { fullConfigSchema } from '../sections/full-schema.ts';
import { parseTomlDocument, type TomlTable } from '../toml-document.ts';
import { globalProblems } from './global-rules.ts';
import { runnerProblems } from './runner-rules.ts';

export interface LintProblem {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly isUnknownKey: boolean;
}

/** What a check must know of the world around the file. */
export interface LintFacts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly executors: readonly string[];
  readonly isFeatureFlag: (name: string) => boolean;
  /** Of a path relative to the config file. */
  readonly fileExists: (path: string) => Promise<boolean>;
}

/** Everything that is wrong in a config.toml, in the order of its lines. */
export async function lintConfig(text: string, path: string, facts: LintFacts): Promise<readonly LintProblem[]> {
  let raw: TomlTable;
  try {
    raw = await parseTomlDocument(text, path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [syntaxProblem(error.message, path)];
  }
  const unknown = documentProblems(raw, fullConfigSchema).map(problemOfKey);
  const document = matchKeys(raw, fullConfigSchema);
  const problems = [
    ...typeProblems(document),
    ...globalProblems(document),
    ...(await runnerProblems(document, facts)),
  ].map(({ at, message }) => ({ line: at.line, column: at.column, message, isUnknownKey: false }));
  return [...unknown, ...problems].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function syntaxProblem(message: string, path: string): LintProblem {
  const start = message.indexOf(`${path}:`) + path.length + 1;
  const [, line = '1', column = '1', what = message] = /^(\d+):(\d+): ([^]*)$/.exec(message.slice(start)) ?? [];
  return { line: Number(line), column: Number(column), message: what, isUnknownKey: false };
}

function problemOfKey({ at, key, kind, suggestion }: DocumentProblem): LintProblem {
  const place = { line: at.line, column: at.column, isUnknownKey: kind === 'unknown' };
  if (kind === 'list_for_table') return { ...place, message: `${key}: write this table with single brackets` };
  if (kind === 'shadowed') return { ...place, message: `${key} stands twice: ${suggestion} is used` };
  const guess = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  return { ...place, message: `unknown key: ${key}${guess}` };
}
