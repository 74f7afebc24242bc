/** What expansion needs to know of a variable; `JobVariable` and the submission's variables have this shape. */
export interface ExpandableVariable {
  readonly key: string;
  readonly value: string;
  readonly file: boolean;
  readonly raw: boolean;
}

/** The outcome of `expandServerVariables`: the list for the runner, or the names of the variables that refer to each other. */
export type ServerExpansion<V> =
  | { readonly ok: true; readonly variables: readonly V[] }
  | { readonly ok: false; readonly cycle: readonly string[] };

/** What a reference to a name nobody defined becomes. */
export type UndefinedReference = 'keep' | 'empty';

const REFERENCE = /\$\$|%%|\$([a-zA-Z_][a-zA-Z0-9_]*)|\$\{([a-zA-Z_][a-zA-Z0-9_]*)?\}|%([a-zA-Z_][a-zA-Z0-9_]*)%/g;

/**
 * Expands `$NAME`, `${NAME}` and `%NAME%` in a text as GitLab does (spec local-pipeline.md §3.3).
 * `$$` and `%%` stay for the runner. `lookup` returns the expanded value, or undefined for an unknown name.
 */
export function expandServerText(
  text: string,
  lookup: (name: string) => string | undefined,
  whenUndefined: UndefinedReference,
): string {
  if (!mayHoldReference(text)) return text;
  return text.replace(REFERENCE, (match: string, plain?: string, braced?: string, percent?: string) => {
    if (match === '$$' || match === '%%') return match;
    const name = plain ?? braced ?? percent;
    const value = name === undefined ? undefined : lookup(name);
    return value ?? (whenUndefined === 'keep' ? match : '');
  });
}

/** The names a text refers to, in order, without duplicates. */
export function referencedNames(text: string): readonly string[] {
  if (!mayHoldReference(text)) return [];
  const names = new Set<string>();
  for (const match of text.matchAll(REFERENCE)) {
    const name = match[1] ?? match[2] ?? match[3];
    if (name !== undefined) names.add(name);
  }
  return [...names];
}

/**
 * GitLab's expansion of a job's variable list before it goes to a runner (spec local-pipeline.md §3.3, §10.5):
 * every reference is replaced by the expanded value of the last variable of that name; undefined references, and
 * references to file and raw variables, stay as text for the runner. Raw variables are not expanded themselves.
 *
 * The result is sorted so that a variable comes after those it refers to, with overridden entries first, so the last
 * entry of a name still wins. A variable that refers to itself gets the value of the entry it overrides, or stays
 * as text if there is none; two or more that refer to each other are a cycle.
 */
export function expandServerVariables<V extends ExpandableVariable>(variables: readonly V[]): ServerExpansion<V> {
  const winners = lastIndexByKey(variables);
  const cycle = findCycle(variables, winners);
  if (cycle !== undefined) return { ok: false, cycle };
  const expander = new Expander(variables, winners);
  for (const index of winners.values()) expander.expanded(index);
  const order = [...expander.order].filter((index) => isWinner(variables, winners, index));
  const shadowed = variables.keys().filter((index) => !isWinner(variables, winners, index));
  return { ok: true, variables: [...shadowed, ...order].map((index) => withValue(variables, index, expander)) };
}

/** The message for a cycle, as GitLab words it; the caller puts the job's name in front. */
export function circularVariablesMessage(cycle: readonly string[]): string {
  return `circular variable reference detected: [${cycle.map((name) => JSON.stringify(name)).join(', ')}]`;
}

class Expander<V extends ExpandableVariable> {
  /** Indexes in the order their expansion was finished: dependencies first. */
  readonly order = new Set<number>();
  readonly #variables: readonly V[];
  readonly #winners: ReadonlyMap<string, number>;
  readonly #values = new Map<number, string>();
  readonly #running = new Set<number>();

  constructor(variables: readonly V[], winners: ReadonlyMap<string, number>) {
    this.#variables = variables;
    this.#winners = winners;
  }

  expanded(index: number): string | undefined {
    const known = this.#values.get(index);
    if (known !== undefined) return known;
    const variable = this.#variables[index];
    if (variable === undefined || this.#running.has(index)) return undefined;
    this.#running.add(index);
    const value = variable.raw
      ? variable.value
      : expandServerText(variable.value, (name) => this.#refer(index, name), 'keep');
    this.#running.delete(index);
    this.#values.set(index, value);
    this.order.add(index);
    return value;
  }

  #refer(from: number, name: string): string | undefined {
    const index = this.#variables[from]?.key === name ? this.#overriddenBy(from, name) : this.#winners.get(name);
    if (index === undefined) return undefined;
    const value = this.expanded(index);
    const target = this.#variables[index];
    return target === undefined || target.file || target.raw ? undefined : value;
  }

  /** The entry that `from` overrides, unless that one needs `from` itself. */
  #overriddenBy(from: number, name: string): number | undefined {
    const index = this.#earlier(from, name);
    return index === undefined || this.#needs(index, from, new Set()) ? undefined : index;
  }

  #earlier(from: number, name: string): number | undefined {
    for (let index = from - 1; index >= 0; index--) {
      if (this.#variables[index]?.key === name) return index;
    }
    return undefined;
  }

  #needs(index: number, target: number, seen: Set<number>): boolean {
    const variable = this.#variables[index];
    if (variable === undefined || variable.raw || seen.has(index)) return false;
    seen.add(index);
    return referencedNames(variable.value).some((name) => {
      const next = name === variable.key ? this.#earlier(index, name) : this.#winners.get(name);
      return next !== undefined && (next === target || this.#needs(next, target, seen));
    });
  }
}

/** Depth-first search over the winning entries; the names on the first cycle found, in order of reference. */
function findCycle(
  variables: readonly ExpandableVariable[],
  winners: ReadonlyMap<string, number>,
): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): string[] | undefined => {
    if (done.has(name)) return undefined;
    const start = path.indexOf(name);
    if (start >= 0) return path.slice(start);
    const variable = variables[winners.get(name) ?? -1];
    if (variable === undefined || variable.raw || !mayHoldReference(variable.value)) return undefined;
    path.push(name);
    for (const next of referencedNames(variable.value)) {
      const cycle = next === name ? undefined : visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(name);
    return undefined;
  };
  for (const name of winners.keys()) {
    const cycle = visit(name);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function lastIndexByKey(variables: readonly ExpandableVariable[]): Map<string, number> {
  const result = new Map<string, number>();
  for (const [index, variable] of variables.entries()) result.set(variable.key, index);
  return result;
}

function isWinner(
  variables: readonly ExpandableVariable[],
  winners: ReadonlyMap<string, number>,
  index: number,
): boolean {
  const variable = variables[index];
  return variable !== undefined && winners.get(variable.key) === index;
}

function withValue<V extends ExpandableVariable>(variables: readonly V[], index: number, expander: Expander<V>): V {
  const variable = variables[index];
  if (variable === undefined) throw new RangeError(`no variable at ${index}`);
  const value = expander.expanded(index);
  return value === undefined || value === variable.value ? variable : { ...variable, value };
}

function mayHoldReference(text: string): boolean {
  return text.includes('$') || text.includes('%');
}
