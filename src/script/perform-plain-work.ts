import { unreachable } from '../lib/unreachable.ts';
import type { ScriptCondition, ScriptOperation } from './operations.ts';

/** Files of a job's environment, as plain work sees them. */
export interface PlainFiles {
  /** For `Running on <host name>...`. */
  hostName(): string;
  kindOf(path: string): Promise<'directory' | 'other' | 'absent'>;
  makeFolder(path: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  writeFile(path: string, content: string): Promise<void>;
}

const levelColour = { print: '\x1b[0;m', notice: '\x1b[32;1m', warning: '\x1b[0;33m', error: '\x1b[31;1m' } as const;

/**
 * Does work that needs no shell (`isPlainFileWork`), as if a script had done it.
 * @param print takes one line of output
 * @throws what the files throw: the first failure ends it, as errexit would
 */
export async function performPlainWork(
  operations: readonly ScriptOperation[],
  files: PlainFiles,
  print: (line: string) => void,
): Promise<void> {
  for (const operation of operations) await performOne(operation, files, print);
}

async function performOne(operation: ScriptOperation, files: PlainFiles, print: (line: string) => void): Promise<void> {
  switch (operation.op) {
    case 'print': {
      const { level, text } = operation;
      print(level === 'print' ? `\x1b[0;m${text}` : `${levelColour[level]}${text}\x1b[0;m`);
      return;
    }
    case 'emptyLine':
      print('');
      return;
    case 'printHost':
      print(`Running on ${files.hostName()}${operation.via === undefined ? '' : ` via ${operation.via}`}...`);
      return;
    case 'makeDirectory':
      return await files.makeFolder(operation.path);
    case 'removeFile':
      return await files.removeFile(operation.path);
    case 'removeDirectory':
      return await files.removeFolder(operation.path);
    case 'writeFile':
      return await files.writeFile(operation.path, operation.content);
    case 'if': {
      const branch = (await holds(operation.condition, files)) ? operation.then : operation.else;
      return await performPlainWork(branch, files, print);
    }
    case 'command':
    case 'commandWithInput':
    case 'userCommand':
    case 'export':
    case 'changeDirectory':
    case 'removeByName':
    case 'cacheTransfer':
    case 'verbatim':
      throw new Error(`not plain file work: ${operation.op}`);
    default:
      unreachable(operation);
  }
}

async function holds(condition: ScriptCondition, files: PlainFiles): Promise<boolean> {
  switch (condition.test) {
    case 'isDirectory':
      return (await files.kindOf(condition.path)) === 'directory';
    case 'exists':
      return (await files.kindOf(condition.path)) !== 'absent';
    case 'isReadable':
    case 'succeeds':
    case 'gitAtLeast':
      throw new Error(`not plain file work: ${condition.test}`);
    default:
      return unreachable(condition);
  }
}
