import type { ScriptOptions } from 'node:vm';

/** Names of the executable's assets. */
export const programAsset = 'program';
export const cacheAsset = 'program-code-cache';

/** File name of the program in stack traces. */
export const programScriptOptions: ScriptOptions = { filename: 'millrace' };

/**
 * Text to compile of the bundled program: a function of `require`, `module` and `exports`. Builder and executable have
 * to compile the same one: a code cache holds for one text only.
 */
export function programScriptText(bundle: string): string {
  return `(function (require, module, exports) {${bundle}\n})`;
}
