// Takes the place of src/commands/command-line.ts in the executable's main script, which so stays as small as what
// `--version` needs; everything else is an asset that is compiled (from its code cache) when it is wanted.
import { getAsset, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';
import type { runCommandLine as RunCommandLine } from '../../src/commands/command-line.ts';
import { cacheAsset, programAsset, programScriptOptions, programScriptText } from './program-script.ts';

type ModuleFunction = (load: NodeJS.Require, module: object, exports: object) => void;

interface Program {
  readonly runCommandLine: typeof RunCommandLine;
}

export const { runCommandLine } = loadProgram();

function loadProgram(): Program {
  const text = programScriptText(getAsset(programAsset, 'utf8'));
  const cachedData = new Uint8Array(getRawAsset(cacheAsset));
  const script = new Script(text, { ...programScriptOptions, cachedData });
  const module = { exports: {} };
  const moduleFunction = script.runInThisContext() as ModuleFunction;
  moduleFunction(require, module, module.exports);
  return module.exports as Program;
}
