import type { CompileContext } from '../context.ts';
import { evaluateExpression } from '../expressions/evaluate.ts';
import { walkExpression } from '../expressions/parser.ts';
import { fromPlain, isNull, type MapEntry, type Position, textNode, type YamlNode } from '../yaml/nodes.ts';
import type { InputRule, InputSpec } from './input-specs.ts';

/** Inputs as someone gave them, by name. */
export type GivenInputs = ReadonlyMap<string, MapEntry>;

/** GitLab names no more than these per file. */
const MAX_ERRORS = 3;

/** The values of a file's inputs, checked against its header (spec local-pipeline.md §6). */
export function resolveInputs(
  specs: readonly InputSpec[],
  given: GivenInputs,
  file: string,
  givenAt: Position | undefined,
  context: CompileContext,
): ReadonlyMap<string, YamlNode> {
  const resolver = new InputResolver(specs, given, givenAt, context);
  const known = new Set(specs.map((spec) => spec.name));
  const unknown = [...given.values()].filter((entry) => !known.has(entry.key));
  const firstUnknown = unknown[0];
  if (firstUnknown !== undefined) {
    const names = unknown.map((entry) => entry.key).join(', ');
    context.problems.add(`\`${file}\`: unknown input arguments: ${names}`, firstUnknown.keyAt);
  }
  for (const spec of specs) resolver.value(spec.name);
  for (const { message, at } of resolver.errors.slice(0, MAX_ERRORS))
    context.problems.add(`\`${file}\`: ${message}`, at);
  return resolver.values;
}

class InputResolver {
  readonly values = new Map<string, YamlNode>();
  readonly errors: { readonly message: string; readonly at: Position }[] = [];
  readonly #specs: ReadonlyMap<string, InputSpec>;
  readonly #given: GivenInputs;
  readonly #givenAt: Position | undefined;
  readonly #context: CompileContext;
  readonly #running = new Set<string>();

  constructor(specs: readonly InputSpec[], given: GivenInputs, givenAt: Position | undefined, context: CompileContext) {
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
    this.#given = given;
    this.#givenAt = givenAt;
    this.#context = context;
  }

  value(name: string): YamlNode | undefined {
    const known = this.values.get(name);
    const spec = this.#specs.get(name);
    if (known !== undefined || spec === undefined) return known;
    if (this.#running.has(name)) return this.#fail(spec, 'circular reference in input rules', spec.at);
    this.#running.add(name);
    const value = this.#resolve(spec);
    this.#running.delete(name);
    // an input that failed gets an empty text, so that its uses are no further errors
    this.values.set(name, value ?? textNode('', spec.at));
    return this.values.get(name);
  }

  #resolve(spec: InputSpec): YamlNode | undefined {
    const rule = spec.rules === undefined ? undefined : this.#matchingRule(spec, spec.rules);
    const options = rule === undefined ? spec.options : rule.options;
    const given = this.#given.get(spec.name);
    if (given !== undefined) return this.#checked(spec, given.value, given.keyAt, options, 'provided');
    const fallback = rule === undefined ? spec.default : rule.default;
    if (fallback === undefined) {
      return this.#fail(spec, 'required value has not been provided', this.#givenAt ?? spec.at);
    }
    if (isNull(fallback) && rule?.hasDefault === true) return fallback;
    return this.#checked(spec, fallback, fallback.at, options, 'default');
  }

  #matchingRule(spec: InputSpec, rules: readonly InputRule[]): InputRule | undefined {
    return rules.find((rule) => {
      if (rule.if === undefined) return true;
      for (const node of walkExpression(rule.if.expression)) {
        if (node.kind !== 'input' || this.#specs.has(node.name)) continue;
        this.#fail(spec, `rule refers to undefined input \`${node.name}\``, rule.if.at);
      }
      return evaluateExpression(rule.if.expression, {
        variable: () => null,
        input: (name) => inputForRule(this.value(name)),
        regexes: this.#context.regexes,
      });
    });
  }

  #checked(
    spec: InputSpec,
    raw: YamlNode,
    at: Position,
    options: readonly YamlNode[] | undefined,
    which: string,
  ): YamlNode | undefined {
    const value = typed(spec, raw);
    if (value === undefined) return this.#fail(spec, `${which} value is not ${TYPE_NAMES[spec.type]}`, at);
    const text = value.kind === 'scalar' ? value.text : '';
    if (options !== undefined && !options.some((option) => option.kind === 'scalar' && option.text === text)) {
      return this.#fail(spec, `\`${text}\` cannot be used because it is not in the list of allowed options`, at);
    }
    if (spec.regex !== undefined && this.#context.regexes.compile(spec.regex, '')?.matches(text) !== true) {
      return this.#fail(spec, `${which} value does not match required RegEx pattern`, at);
    }
    return value;
  }

  #fail(spec: InputSpec, message: string, at: Position): undefined {
    this.errors.push({ message: `\`${spec.name}\` input: ${message}`, at });
    return undefined;
  }
}

const TYPE_NAMES = { string: 'a string', number: 'a number', boolean: 'a boolean', array: 'an array' } as const;

function typed(spec: InputSpec, value: YamlNode): YamlNode | undefined {
  if (spec.type === 'string') return value.kind === 'scalar' ? textNode(value.text, value.at) : undefined;
  const node = value.kind === 'scalar' && value.type === 'string' ? fromJson(value.text, value.at) : value;
  if (spec.type === 'array') return node?.kind === 'list' ? node : undefined;
  if (node?.kind !== 'scalar') return undefined;
  const isRight = spec.type === 'boolean' ? node.type === 'boolean' : node.type === 'integer' || node.type === 'float';
  return isRight ? node : undefined;
}

function fromJson(text: string, at: Position): YamlNode | undefined {
  try {
    return fromPlain(JSON.parse(text), at);
  } catch {
    return undefined;
  }
}

function inputForRule(value: YamlNode | undefined): string | boolean | null {
  if (value?.kind !== 'scalar' || value.type === 'null') return null;
  return value.type === 'boolean' ? value.text === 'true' : value.text;
}
