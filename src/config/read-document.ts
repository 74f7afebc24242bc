import type * as z from 'zod';
import { ConfigError } from '../lib/errors.ts';
import type { ConfigNote } from './config-notes.ts';
import { type DocumentProblem, documentProblems } from './document-problems.ts';
import { matchKeys } from './match-keys.ts';
import { type ConfigDocument, configSchema } from './schema.ts';
import { expandSecrets } from './secret-keys.ts';
import { fullConfigSchema } from './sections/full-schema.ts';
import { nodeAt, parseTomlDocument, plainValue, type TomlNode, type TomlPosition } from './toml-document.ts';

export interface ReadDocument {
  readonly document: ConfigDocument;
  /** A password, key or token stands in the file itself. */
  readonly hasSecrets: boolean;
  /** What was tolerated. */
  readonly notes: readonly ConfigNote[];
}

/** A value of a wrong type or form. */
export interface TypeProblem {
  readonly at: TomlPosition;
  readonly message: string;
}

/**
 * The text of config.toml, checked against its schema.
 * @throws ConfigError with file, line and column.
 */
export async function readDocument(
  text: string,
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ReadDocument> {
  const raw = await parseTomlDocument(text, path);
  const notes = documentProblems(raw, fullConfigSchema).map((problem) => noteOf(problem, path));
  const { document, literals, unset } = expandSecrets(matchKeys(raw, fullConfigSchema), environment);
  const [problem] = typeProblems(document);
  if (problem !== undefined) {
    const { line, column } = problem.at;
    throw new ConfigError(
      `decoding configuration file: ${path}:${line}:${column}: incompatible types: ${problem.message}`,
    );
  }
  return {
    document: configSchema.parse(plainValue(document, 'marked')),
    hasSecrets: literals > 0,
    notes: [...notes, ...unset.map((name) => unsetNote(name, path))],
  };
}

/** Every value of a wrong type or form in a document whose keys are matched. */
export function typeProblems(document: TomlNode): readonly TypeProblem[] {
  const parsed = fullConfigSchema.safeParse(plainValue(document, 'marked'));
  return (parsed.error?.issues ?? []).map((issue) => {
    const key = issue.path.filter((part) => typeof part === 'string').join('.');
    return { at: nodeAt(document, issue.path).at, message: `${key}: ${complaint(issue)}` };
  });
}

function complaint(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return issue.message;
  if (issue.code === 'invalid_union' && issue.message !== 'Invalid input') return issue.message;
  if (issue.code === 'invalid_union') return 'a duration is a text like "1h30m" or a number of nanoseconds';
  if (issue.code !== 'invalid_type') return issue.message;
  const names: Readonly<Record<string, string>> = {
    number: 'an integer',
    array: 'an array',
    record: 'a table',
    object: 'a table',
  };
  return `expected ${names[issue.expected] ?? `a ${issue.expected}`}`;
}

function noteOf(problem: DocumentProblem, path: string): ConfigNote {
  const fields = { at: `${path}:${problem.at.line}:${problem.at.column}`, key: problem.key };
  switch (problem.kind) {
    case 'unknown':
      return {
        level: 'warn',
        message: 'The config file has a key that is not known',
        fields: problem.suggestion === undefined ? fields : { ...fields, did_you_mean: problem.suggestion },
      };
    case 'shadowed':
      return {
        level: 'warn',
        message: 'A key stands twice in the config file, in two letter cases: this one is not used',
        fields: { ...fields, used: problem.suggestion },
      };
    case 'list_for_table':
      return {
        level: 'warn',
        message: 'A table in the config file is written with double brackets: write it with single ones',
        fields,
      };
  }
}

function unsetNote(name: string, path: string): ConfigNote {
  return {
    level: 'warn',
    message: 'The config file takes a secret from an environment variable that is not set',
    fields: { variable: name, path },
  };
}
