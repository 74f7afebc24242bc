import { errorMessage } from '../lib/errors.ts';
import { unreachable } from '../lib/unreachable.ts';
import {
  hostName,
  makeFolder,
  pathKind,
  removeFileIfPresent,
  removeFolderForcibly,
  writeTextFile,
} from '../platform/local-work.ts';
import type { ScriptCondition, ScriptOperation } from '../script/operations.ts';

/** What plain file work printed and how it ended, as if a shell had done it. */
export interface LocalWorkResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

const levelColour = { print: '\x1b[0;m', notice: '\x1b[32;1m', warning: '\x1b[0;33m', error: '\x1b[31;1m' } as const;

/**
 * Does the plain file work of a stage (`isPlainFileWork`) in this process: no shell is started for it.
 * The first failure ends it, as errexit would.
 */
export async function doLocalFileWork(operations: readonly ScriptOperation[]): Promise<LocalWorkResult> {
  const output: string[] = [];
  try {
    await doAll(operations, (line) => output.push(`${line}\n`));
    return { stdout: output.join(''), stderr: '', code: 0 };
  } catch (error) {
    return { stdout: output.join(''), stderr: `${errorMessage(error)}\n`, code: 1 };
  }
}

async function doAll(operations: readonly ScriptOperation[], print: (line: string) => void): Promise<void> {
  for (const operation of operations) await doOne(operation, print);
}

async function doOne(operation: ScriptOperation, print: (line: string) => void): Promise<void> {
  switch (operation.op) {
    case 'print':
      print(
        operation.level === 'print'
          ? `\x1b[0;m${operation.text}`
          : `${levelColour[operation.level]}${operation.text}\x1b[0;m`,
      );
      return;
    case 'emptyLine':
      print('');
      return;
    case 'printHost':
      print(
        operation.via === undefined
          ? `Running on ${hostName()}...`
          : `Running on ${hostName()} via ${operation.via}...`,
      );
      return;
    case 'makeDirectory':
      await makeFolder(operation.path);
      return;
    case 'removeFile':
      await removeFileIfPresent(operation.path);
      return;
    case 'removeDirectory':
      await removeFolderForcibly(operation.path);
      return;
    case 'writeFile':
      await writeTextFile(operation.path, operation.content);
      return;
    case 'if':
      await doAll((await holds(operation.condition)) ? operation.then : operation.else, print);
      return;
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

async function holds(condition: ScriptCondition): Promise<boolean> {
  switch (condition.test) {
    case 'isDirectory':
      return (await pathKind(condition.path)) === 'directory';
    case 'exists':
      return (await pathKind(condition.path)) !== 'absent';
    case 'isReadable':
    case 'succeeds':
    case 'gitAtLeast':
      throw new Error(`not plain file work: ${condition.test}`);
    default:
      return unreachable(condition);
  }
}
