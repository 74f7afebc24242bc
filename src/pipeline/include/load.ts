import type { CompileContext } from '../context.ts';
import type { VariableScope } from '../variables/scope.ts';
import { deepMerge } from '../yaml/merge.ts';
import { isNull, type MapNode, map, type Position, valueOf, withoutKeys, type YamlNode } from '../yaml/nodes.ts';
import { parseYaml } from '../yaml/parse.ts';
import { type IncludeConfig, isIncluded, readIncludes, refuseForeign } from './entries.ts';
import { InputFunctionError } from './input-functions.ts';
import { type InputSpec, readHeader, readInputSpecs } from './input-specs.ts';
import { type GivenInputs, resolveInputs } from './input-values.ts';
import { interpolate } from './interpolate.ts';
import { filesMatching, hasWildcard } from './wildcards.ts';

const MAX_INCLUDES = 150;
const MAX_FILE_BYTES = 2 * 1024 * 1024;

/** What a file is loaded for. */
interface FileRequest {
  readonly path: string;
  readonly inputs: GivenInputs;
  /** Where it was asked for; undefined for the root file. */
  readonly from: Position | undefined;
}

/**
 * Reads a configuration file with everything it includes, merged as GitLab does (spec local-pipeline.md §1, §5, §6):
 * included files in order, then the file itself on top. Undefined, with problems, if it cannot be read.
 */
export async function loadConfiguration(
  rootFile: string,
  inputs: GivenInputs,
  scope: VariableScope,
  context: CompileContext,
): Promise<MapNode | undefined> {
  return new ConfigurationLoader(scope, context).load({ path: rootFile, inputs, from: undefined });
}

class ConfigurationLoader {
  readonly #scope: VariableScope;
  readonly #context: CompileContext;
  readonly #parsed = new Map<string, readonly (YamlNode | undefined)[] | undefined>();
  readonly #loaded = new Set<string>();
  #includes = 0;

  constructor(scope: VariableScope, context: CompileContext) {
    this.#scope = scope;
    this.#context = context;
  }

  async load(request: FileRequest): Promise<MapNode | undefined> {
    this.#loaded.add(request.path);
    const documents = await this.#documents(request);
    if (documents === undefined) return undefined;
    const content = await this.#content(documents, request);
    if (content === undefined) return undefined;
    const includes = valueOf(content, 'include');
    const own = withoutKeys(content, 'include');
    if (includes === undefined) return own;
    let merged: MapNode | undefined;
    for (const included of await this.#loadIncludes(readIncludes(includes, this.#context))) {
      merged = merged === undefined ? included : deepMerge(merged, included);
    }
    return merged === undefined ? own : { ...deepMerge(merged, own), at: own.at };
  }

  async #loadIncludes(includes: readonly IncludeConfig[]): Promise<readonly MapNode[]> {
    const result: MapNode[] = [];
    for (const include of includes) {
      if (!(await isIncluded(include, this.#scope, this.#context))) continue;
      for (const path of await this.#pathsOf(include)) {
        if (++this.#includes > MAX_INCLUDES) {
          this.#context.problems.add(`Maximum of ${MAX_INCLUDES} nested includes are allowed!`, include.at);
          return result;
        }
        const node = await this.load({ path, inputs: include.inputs, from: include.at });
        if (node !== undefined) result.push(node);
      }
    }
    return result;
  }

  async #pathsOf(include: IncludeConfig): Promise<readonly string[]> {
    if (include.kind !== 'local') {
      refuseForeign(include, this.#context.problems);
      return [];
    }
    const location = this.#scope.expand(include.location, 'empty').replace(/^\/+/, '');
    if (!/\.ya?ml$/.test(location)) {
      this.#context.problems.add(`Included file \`${location}\` does not have YAML extension!`, include.at);
      return [];
    }
    if (!hasWildcard(location)) return [location];
    const found = filesMatching(location, await this.#context.repository.list());
    return found.filter((path) => !this.#loaded.has(path));
  }

  /** The documents of a file; a file that is included twice is read once. */
  async #documents(request: FileRequest): Promise<readonly (YamlNode | undefined)[] | undefined> {
    if (!this.#parsed.has(request.path)) this.#parsed.set(request.path, await this.#read(request));
    return this.#parsed.get(request.path);
  }

  async #read({ path, from }: FileRequest): Promise<readonly (YamlNode | undefined)[] | undefined> {
    const { problems, repository, regexes } = this.#context;
    const bytes = await repository.read(path);
    const whole = { file: path, line: 0, column: 0 };
    if (bytes === undefined) {
      problems.add(
        from === undefined ? `Missing CI config file: ${path}` : `Local file \`${path}\` does not exist!`,
        from ?? whole,
      );
      return undefined;
    }
    if (bytes.byteLength > MAX_FILE_BYTES) {
      problems.add('The provided YAML is too big', whole);
      return undefined;
    }
    const text = new TextDecoder().decode(bytes);
    if (text.trim() === '') {
      problems.add(
        from === undefined ? `Please provide content of ${path}` : `Local file \`${path}\` is empty!`,
        from ?? whole,
      );
      return undefined;
    }
    await regexes.ensureFor(text);
    return parseYaml(text, path, problems);
  }

  /** The configuration document, with the inputs of the header before it filled in. */
  async #content(documents: readonly (YamlNode | undefined)[], request: FileRequest): Promise<MapNode | undefined> {
    const present = documents[0] === undefined ? documents.slice(1) : documents;
    const first = present[0];
    const hasHeader = present.length > 1 && first?.kind === 'map' && first.entries.has('spec');
    if (hasHeader) return this.#asMap(await this.#interpolated(first, present[1], request), request);
    const extra = present[1];
    if (extra !== undefined) this.#context.problems.notice('only the first document of the file counts', extra.at);
    if (request.inputs.size > 0) {
      const at = request.from ?? { file: request.path, line: 0, column: 0 };
      this.#context.problems.add(
        `\`${request.path}\`: Given inputs not defined in the \`spec\` section of the included configuration file`,
        at,
      );
    }
    return this.#asMap(first, request);
  }

  async #interpolated(
    header: MapNode,
    content: YamlNode | undefined,
    request: FileRequest,
  ): Promise<YamlNode | undefined> {
    const specs = await this.#inputSpecs(header);
    const inputs = resolveInputs(specs, request.inputs, request.path, request.from, this.#context);
    if (content === undefined) return map([], header.at);
    const expandVariables = (text: string): string => this.#expandForInput(text);
    return interpolate(content, { inputs, expandVariables, problems: this.#context.problems, file: request.path });
  }

  async #inputSpecs(header: MapNode): Promise<readonly InputSpec[]> {
    const spec = readHeader(header, this.#context);
    if (spec === undefined) return [];
    const external: InputSpec[] = [];
    const include = spec.get('include');
    if (include !== undefined) {
      for (const item of readIncludes(include, this.#context)) external.push(...(await this.#externalSpecs(item)));
    }
    const inputs = spec.get('inputs');
    const specs = [...external, ...(inputs === undefined ? [] : readInputSpecs(inputs, this.#context))];
    const names = specs.map((item) => item.name);
    const twice = specs.filter((item, index) => names.indexOf(item.name) !== index);
    if (twice[0] !== undefined) {
      this.#context.problems.add(
        `Duplicate input keys found: ${twice.map((item) => item.name).join(', ')}`,
        twice[0].at,
      );
    }
    return specs;
  }

  async #externalSpecs(include: IncludeConfig): Promise<readonly InputSpec[]> {
    const result: InputSpec[] = [];
    for (const path of await this.#pathsOf(include)) {
      const documents = await this.#documents({ path, inputs: new Map(), from: include.at });
      const node = documents?.[0];
      if (node?.kind !== 'map') continue;
      const unknown = [...node.entries.keys()].filter((key) => key !== 'inputs');
      if (unknown.length > 0) {
        this.#context.problems.add(
          `Header include file \`${path}\` contains unknown keys: [${unknown.join(', ')}]`,
          node.at,
        );
      }
      const inputs = valueOf(node, 'inputs');
      if (inputs !== undefined) result.push(...readInputSpecs(inputs, this.#context));
    }
    return result;
  }

  #expandForInput(text: string): string {
    for (const name of text.matchAll(/\$\{?(\w+)/g)) {
      if (this.#scope.find(name[1] ?? '')?.masked === true) {
        throw new InputFunctionError('variable expansion error: masked variables cannot be expanded');
      }
    }
    return this.#scope.expand(text, 'keep');
  }

  #asMap(node: YamlNode | undefined, request: FileRequest): MapNode | undefined {
    if (node?.kind === 'map') return node;
    const whole = { file: request.path, line: 0, column: 0 };
    if (node === undefined || isNull(node)) {
      if (request.from === undefined) {
        this.#context.problems.add(`Please provide content of ${request.path}`, whole);
        return undefined;
      }
      this.#context.problems.add(`Local file \`${request.path}\` is empty!`, request.from);
      return undefined;
    }
    this.#context.problems.add('Invalid configuration format', node.at, 'the file must hold a map of keys');
    return undefined;
  }
}
