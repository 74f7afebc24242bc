import type { Problems } from '../problems.ts';
import {
  list,
  type MapEntry,
  map,
  type Position,
  type ScalarNode,
  textNode,
  toPlain,
  type YamlNode,
} from '../yaml/nodes.ts';
import { applyInputFunction, InputFunctionError } from './input-functions.ts';

/** What `$[[ ... ]]` can refer to. */
export interface InterpolationContext {
  readonly inputs: ReadonlyMap<string, YamlNode>;
  /** Expands server-level variables for `expand_vars`. Throws `InputFunctionError` for masked ones. */
  readonly expandVariables: (text: string) => string;
  readonly problems: Problems;
  /** Put before messages: the file's name. */
  readonly file: string;
}

const BLOCK = /\$\[\[\s*(\S.*?\S)\s*\]\]/g;
const WHOLE_BLOCK = /^\$\[\[\s*(\S.*?\S)\s*\]\]$/;
const MAX_BLOCKS = 10_000;
const MAX_FUNCTIONS = 3;

/**
 * Replaces the `$[[ inputs.x ]]` blocks of a file, in keys and values (spec local-pipeline.md §6). A block that is the
 * whole value keeps its type; `$[[ matrix.X ]]` stays.
 */
export function interpolate(node: YamlNode, context: InterpolationContext): YamlNode {
  return new Interpolator(context).node(node);
}

class Interpolator {
  readonly #context: InterpolationContext;
  readonly #done = new Map<YamlNode, YamlNode>();
  #blocks = 0;

  constructor(context: InterpolationContext) {
    this.#context = context;
  }

  node(node: YamlNode): YamlNode {
    if (node.kind === 'reference') return node;
    if (node.kind === 'scalar') return this.#scalar(node);
    const known = this.#done.get(node);
    if (known !== undefined) return known;
    const result =
      node.kind === 'list'
        ? list(
            node.items.flatMap((item) => this.#item(item)),
            node.at,
          )
        : map(
            node.entries.values().map((entry) => this.#entry(entry)),
            node.at,
          );
    this.#done.set(node, result);
    return result;
  }

  #entry(entry: MapEntry): MapEntry {
    const key = entry.key.includes('$[[') ? this.#text(entry.key, entry.keyAt) : entry.key;
    return { ...entry, key, value: this.node(entry.value) };
  }

  /** An input that is a list is spliced into the list it stands in. */
  #item(item: YamlNode): readonly YamlNode[] {
    const result = this.node(item);
    return item.kind === 'scalar' && result.kind === 'list' ? result.items : [result];
  }

  #scalar(node: ScalarNode): YamlNode {
    if (node.type !== 'string' || !node.text.includes('$[[')) return node;
    const whole = WHOLE_BLOCK.exec(node.text)?.[1];
    if (whole !== undefined && !whole.includes('$[[')) {
      const value = this.#block(whole, node.at);
      return value === undefined ? node : { ...value, at: node.at };
    }
    return textNode(this.#text(node.text, node.at), node.at);
  }

  #text(text: string, at: Position): string {
    return text.replaceAll(BLOCK, (match: string, content: string) => {
      const value = this.#block(content, at);
      if (value === undefined) return match;
      return value.kind === 'scalar' ? value.text : JSON.stringify(toPlain(value));
    });
  }

  /** Undefined leaves the block as it is. */
  #block(content: string, at: Position): YamlNode | undefined {
    if (content.startsWith('matrix.')) return undefined;
    if (++this.#blocks > MAX_BLOCKS) return this.#refuse('too many interpolation blocks', at);
    const [access = '', ...calls] = content.split('|').map((part) => part.trim());
    if (calls.length > MAX_FUNCTIONS) return this.#refuse('too many functions in interpolation block', at);
    const value = this.#access(access, at);
    if (value === undefined) return undefined;
    try {
      return calls.reduce((current, call) => applyInputFunction(call, current, this.#context.expandVariables), value);
    } catch (error) {
      if (!(error instanceof InputFunctionError)) throw error;
      return this.#refuse(error.message, at);
    }
  }

  #access(access: string, at: Position): YamlNode | undefined {
    const parts = access.split('.');
    if (parts.length < 2 || parts.some((part) => part === '')) {
      return this.#refuse('invalid pattern used for interpolation. valid pattern is $[[ inputs.input ]]', at);
    }
    const [root = '', ...path] = parts;
    if (root !== 'inputs') return this.#refuse(`unknown interpolation provided: \`${root}\` in \`${access}\``, at);
    let current: YamlNode | undefined;
    for (const [depth, part] of path.entries()) {
      const { name, indexes } = splitIndexes(part);
      current =
        depth === 0
          ? this.#context.inputs.get(name)
          : current?.kind === 'map'
            ? current.entries.get(name)?.value
            : undefined;
      if (current === undefined)
        return this.#refuse(`unknown interpolation provided: \`${name}\` in \`${access}\``, at);
      for (const index of indexes) {
        if (current?.kind !== 'list') return this.#refuse(`\`${name}\` is not an array in \`${access}\``, at);
        const items: readonly YamlNode[] = current.items;
        current = items[index];
        if (current === undefined) {
          return this.#refuse(`array index ${index} out of bounds (size: ${items.length}) in ${access}`, at);
        }
      }
    }
    return current;
  }

  #refuse(message: string, at: Position): undefined {
    this.#context.problems.add(`\`${this.#context.file}\`: ${message}`, at);
    return undefined;
  }
}

function splitIndexes(part: string): { name: string; indexes: readonly number[] } {
  const match = /^([^[\]]+)((?:\[\d+\]){1,5})$/.exec(part);
  if (match === null) return { name: part, indexes: [] };
  return { name: match[1] ?? '', indexes: [...(match[2] ?? '').matchAll(/\d+/g)].map((digits) => Number(digits[0])) };
}
