import { errorMessage } from '../lib/errors.ts';
import {
  hostName,
  makeFolder,
  pathKind,
  removeFileIfPresent,
  removeFolderForcibly,
  writeTextFile,
} from '../platform/local-work.ts';
import type { ScriptOperation } from '../script/operations.ts';
import { type PlainFiles, performPlainWork } from '../script/perform-plain-work.ts';

/** What plain file work printed and how it ended, as if a shell had done it. */
export interface LocalWorkResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

const localFiles: PlainFiles = {
  hostName,
  kindOf: pathKind,
  makeFolder,
  removeFile: removeFileIfPresent,
  removeFolder: removeFolderForcibly,
  writeFile: writeTextFile,
};

/**
 * Does the plain file work of a stage (`isPlainFileWork`) in this process: no shell is started for it.
 * The first failure ends it, as errexit would.
 */
export async function doLocalFileWork(operations: readonly ScriptOperation[]): Promise<LocalWorkResult> {
  const output: string[] = [];
  try {
    await performPlainWork(operations, localFiles, (line) => output.push(`${line}\n`));
    return { stdout: output.join(''), stderr: '', code: 0 };
  } catch (error) {
    return { stdout: output.join(''), stderr: `${errorMessage(error)}\n`, code: 1 };
  }
}
