import type { JobVariable } from './job-variable.ts';

/** Gives the value a name stands for; undefined = no such variable. */
export type VariableLookup = (key: string) => string | undefined;

/**
 * Looks names up in a variable list: the last entry wins, a file variable stands for the path of its file
 * (spec job-execution.md §10, §11).
 */
export function variableLookup(variables: readonly JobVariable[], temporaryDirectory: string): VariableLookup {
  const values = new Map<string, string>();
  for (const variable of variables) {
    values.set(variable.key, variable.file ? `${temporaryDirectory}/${variable.key}` : variable.value);
  }
  return (key) => values.get(key);
}

/** The last entry with that key. */
export function findVariable<T extends { readonly key: string }>(variables: readonly T[], key: string): T | undefined {
  return variables.findLast((variable) => variable.key === key);
}

/** A variable as the runner sets it: public, plain, not expanded away by the job. */
export function internalVariable(key: string, value: string, flags: Partial<JobVariable> = {}): JobVariable {
  return { key, value, public: true, file: false, masked: false, raw: false, internal: true, ...flags };
}
