import { textNode, type YamlNode } from '../yaml/nodes.ts';

/** A function of an interpolation block cannot be applied. */
export class InputFunctionError extends Error {}

const SAFE_IN_SHELL = /[^A-Za-z0-9_\-.,:+/@\n]/g;

/** Applies `expand_vars`, `truncate(offset,length)` or `posix_escape` to a value. Throws `InputFunctionError`. */
export function applyInputFunction(call: string, value: YamlNode, expandVariables: (text: string) => string): YamlNode {
  const apply = functionFor(call, expandVariables);
  if (apply === undefined) {
    throw new InputFunctionError(
      `no function matching \`${call}\`: check that the function name, arguments, and types are correct`,
    );
  }
  if (value.kind !== 'scalar' || value.type !== 'string') {
    throw new InputFunctionError(`invalid input type for \`${call}\`: only strings can be used`);
  }
  return textNode(apply(value.text), value.at);
}

function functionFor(call: string, expandVariables: (text: string) => string): ((text: string) => string) | undefined {
  if (call === 'expand_vars') return expandVariables;
  if (call === 'posix_escape') return escapeForShell;
  const truncate = /^truncate\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(call);
  if (truncate === null) return undefined;
  const [offset, length] = [Number(truncate[1]), Number(truncate[2])];
  return (text) =>
    Array.from(text)
      .slice(offset, offset + length)
      .join('');
}

function escapeForShell(text: string): string {
  if (text === '') return "''";
  return text.replaceAll(SAFE_IN_SHELL, (character) => `\\${character}`).replaceAll('\n', "'\n'");
}
