import { expandServerText, referencedNames, type UndefinedReference } from '../../variables/server-expansion.ts';

/** A variable as the compiler and the submission hold it. */
export interface PipelineVariable {
  readonly key: string;
  readonly value: string;
  readonly public: boolean;
  readonly file: boolean;
  readonly masked: boolean;
  readonly raw: boolean;
}

/** Where a variable comes from; the number is the layer of spec local-pipeline.md §3.2, 1 is the strongest. */
export interface VariableLayer {
  readonly name: string;
  readonly variables: ReadonlyMap<string, PipelineVariable>;
}

/** A variable as YAML defines it: visible to services, neither file nor masked. */
export function yamlVariable(key: string, value: string, raw = false): PipelineVariable {
  return { key, value, public: true, file: false, masked: false, raw };
}

export function layer(name: string, variables: Iterable<PipelineVariable>): VariableLayer {
  const byKey = new Map<string, PipelineVariable>();
  for (const variable of variables) byKey.set(variable.key, variable);
  return { name, variables: byKey };
}

/** All variables that one expression, path or name may refer to, strongest layer first. */
export class VariableScope {
  readonly layers: readonly VariableLayer[];
  readonly #expanded = new Map<string, string>();
  readonly #running = new Set<string>();

  constructor(strongestFirst: readonly VariableLayer[]) {
    this.layers = strongestFirst;
  }

  find(name: string): PipelineVariable | undefined {
    for (const { variables } of this.layers) {
      const found = variables.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The unexpanded value, null if it is not defined: what rule expressions see. */
  rawValue(name: string): string | null {
    return this.find(name)?.value ?? null;
  }

  /** The expanded value; a reference to itself or around a cycle stays as text. */
  value(name: string): string | undefined {
    const known = this.#expanded.get(name);
    if (known !== undefined) return known;
    const variable = this.find(name);
    if (variable === undefined || this.#running.has(name)) return undefined;
    if (variable.raw) return variable.value;
    this.#running.add(name);
    const result = expandServerText(variable.value, (inner) => this.#referred(inner), 'keep');
    this.#running.delete(name);
    this.#expanded.set(name, result);
    return result;
  }

  /** A text of the configuration with its references replaced by expanded values. */
  expand(text: string, whenUndefined: UndefinedReference): string {
    return expandServerText(text, (name) => this.value(name), whenUndefined);
  }

  /** The names on a circle of references that starts at one of `names`. */
  cycle(names: Iterable<string>): readonly string[] | undefined {
    const done = new Set<string>();
    for (const name of names) {
      const found = this.#cycleFrom(name, [], done);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #cycleFrom(name: string, path: string[], done: Set<string>): readonly string[] | undefined {
    const start = path.indexOf(name);
    if (start >= 0) return path.slice(start);
    if (done.has(name)) return undefined;
    done.add(name);
    const variable = this.find(name);
    if (variable === undefined || variable.raw) return undefined;
    const next = referencedNames(variable.value).filter((inner) => inner !== name);
    if (next.length === 0) return undefined;
    const deeper = [...path, name];
    for (const inner of next) {
      const found = deeper.includes(inner) ? deeper.slice(deeper.indexOf(inner)) : this.#cycleFrom(inner, deeper, done);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Raw and file variables stay references inside other values: the runner resolves them. */
  #referred(name: string): string | undefined {
    const target = this.find(name);
    return target === undefined || target.raw || target.file ? undefined : this.value(name);
  }
}
