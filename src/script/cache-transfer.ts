import { removeFile, warning, when } from './build-operations.ts';
import type { ScriptOperation } from './operations.ts';

export type CacheTransferOperation = Extract<ScriptOperation, { readonly op: 'cacheTransfer' }>;

/** What a helper command is given so that it reaches the store. */
export interface CacheTransferAccess {
  /** Before what the planner knows of the environment file. */
  readonly arguments: readonly string[];
  readonly lastArguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

const noAccess: CacheTransferAccess = { arguments: [], lastArguments: [], environment: {}, warnings: [] };

/** All transfers of a stage, in order, also those that only may happen. */
export function cacheTransfersIn(operations: readonly ScriptOperation[]): readonly CacheTransferOperation[] {
  return operations.flatMap((operation) => {
    if (operation.op === 'if') return cacheTransfersIn([...operation.then, ...operation.else]);
    if (operation.op !== 'cacheTransfer') return [];
    return [operation, ...cacheTransfersIn([...operation.then, ...operation.else])];
  });
}

/** Puts in what gives access to the store; a transfer without an answer only uses the local archive. */
export function resolveCacheTransfers(
  operations: readonly ScriptOperation[],
  answers: ReadonlyMap<CacheTransferOperation, CacheTransferAccess>,
): readonly ScriptOperation[] {
  return operations.flatMap((operation) => {
    if (operation.op === 'if') {
      const { condition, then, else: otherwise } = operation;
      return [when(condition, resolveCacheTransfers(then, answers), resolveCacheTransfers(otherwise, answers))];
    }
    if (operation.op !== 'cacheTransfer') return [operation];
    return cacheTransferOperations(
      {
        ...operation,
        // oxlint-disable-next-line unicorn/no-thenable -- it is a list, nothing awaits it
        then: resolveCacheTransfers(operation.then, answers),
        else: resolveCacheTransfers(operation.else, answers),
      },
      answers.get(operation),
    );
  });
}

/** What a transfer is for a shell. */
export function cacheTransferOperations(
  { helper, arguments: args, environment, environmentFile, then, else: otherwise }: CacheTransferOperation,
  access: CacheTransferAccess = noAccess,
): readonly ScriptOperation[] {
  const [program = '', ...leading] = helper;
  const variables = { ...environment, ...access.environment };
  const hasFile = Object.keys(variables).length > 0;
  const fileArguments = hasFile ? ['--env-file', environmentFile.argument] : [];
  const all = [...leading, ...args, ...access.arguments, ...fileArguments, ...access.lastArguments];
  const { path } = environmentFile;
  const run = when({ test: 'succeeds', command: program, arguments: all, silent: false }, then, otherwise);
  const content = environmentText(variables);
  return [
    ...access.warnings.map(warning),
    ...(hasFile ? [{ op: 'writeFile', path, content } as const, run, removeFile(path)] : [run]),
  ];
}

/** dotenv text, sorted (spec cache-artifacts.md §12). */
export function environmentText(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${escaped(value)}"\n`)
    .join('');
}

function escaped(value: string): string {
  return value.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`).replaceAll('\r', String.raw`\r`);
}
