import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseAllDocuments,
  type YAMLParseError,
} from 'yaml';
import type { Problems } from '../problems.ts';
import { list, type MapEntry, map, type Position, scalar, textNode, type YamlNode } from './nodes.ts';
import { resolvePlainScalar } from './scalars.ts';

const MAX_DEPTH = 100;
/** Aliases count as often as they are used, so a few nested ones cannot stand for billions of nodes. */
const MAX_NODES = 500_000;
const MERGE_KEY = '<<';
const MAX_SYNTAX_ERRORS = 3;

/**
 * Parses a YAML text in GitLab's dialect (spec local-pipeline.md §1.1) to nodes that know their place.
 * Returns one node per document, undefined for an empty one. What is wrong goes to `problems`; then the result is
 * undefined.
 */
export function parseYaml(
  text: string,
  file: string,
  problems: Problems,
): readonly (YamlNode | undefined)[] | undefined {
  const lines = new LineCounter();
  const found = { any: false };
  const report = (message: string, offset: number, hint?: string): void => {
    found.any = true;
    problems.add(message, positionAt(lines, file, offset), hint);
  };
  try {
    const documents = parseAllDocuments(text, {
      schema: 'failsafe',
      version: '1.1',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      lineCounter: lines,
    });
    if (!Array.isArray(documents)) return [];
    const result = documents.map((document) => convertDocument(document, { file, lines, report, problems }));
    return found.any ? undefined : result;
  } catch (error) {
    // The parser is recursive: absurd nesting overflows its stack.
    if (!(error instanceof RangeError)) throw error;
    problems.add('Invalid YAML syntax: nested too deeply', { file, line: 0, column: 0 });
    return undefined;
  }
}

interface Source {
  readonly file: string;
  readonly lines: LineCounter;
  readonly report: (message: string, offset: number, hint?: string) => void;
  readonly problems: Problems;
}

function convertDocument(document: Document.Parsed, source: Source): YamlNode | undefined {
  for (const error of firstOnEachLine(document.errors, source.lines)) {
    source.report(`Invalid YAML syntax: ${firstLine(error.message)}`, error.pos[0]);
  }
  if (document.errors.length > 0 || document.contents === null) return undefined;
  const node = new Converter(source).convert(document.contents, 0);
  if (node.kind === 'scalar' && node.type === 'null') return undefined;
  return node;
}

/** After a syntax error the parser stumbles on; what it says about the same line, or after a few lines, is noise. */
function firstOnEachLine(errors: readonly YAMLParseError[], lines: LineCounter): readonly YAMLParseError[] {
  const byLine = new Map<number, YAMLParseError>();
  for (const error of errors) {
    const { line } = lines.linePos(error.pos[0]);
    if (!byLine.has(line)) byLine.set(line, error);
  }
  return [...byLine.values()].slice(0, MAX_SYNTAX_ERRORS);
}

class Converter {
  readonly #source: Source;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #sizes = new Map<YamlNode, number>();
  #total = 0;
  #tooBig = false;

  constructor(source: Source) {
    this.#source = source;
  }

  convert(node: unknown, depth: number): YamlNode {
    if (depth > MAX_DEPTH) return this.#refuse('The parsed YAML is too big: nested too deeply', offsetOf(node));
    const result = isAlias(node) ? this.#alias(node) : this.#plainNode(node, depth);
    if (hasAnchor(node)) this.#anchors.set(node.anchor, result);
    return result;
  }

  #plainNode(node: unknown, depth: number): YamlNode {
    const at = this.#at(offsetOf(node));
    this.#count(1, offsetOf(node));
    if (isScalar(node)) return this.#scalar(String(node.value), node.type === 'PLAIN', node.tag, at, offsetOf(node));
    if (isSeq(node)) {
      const before = this.#total;
      const items = node.items.map((item) => this.convert(item, depth + 1));
      if (node.tag === '!reference') return this.#reference(items, at, offsetOf(node));
      this.#refuseTag(node.tag, offsetOf(node));
      const result = list(items, at);
      this.#sizes.set(result, this.#total - before + 1);
      return result;
    }
    if (isMap(node)) {
      this.#refuseTag(node.tag, offsetOf(node));
      const before = this.#total;
      const result = this.#map(node.items, at, depth);
      this.#sizes.set(result, this.#total - before + 1);
      return result;
    }
    return textNode('', at);
  }

  #map(pairs: readonly Pair[], at: Position, depth: number): YamlNode {
    const own = new Map<string, MapEntry>();
    const merged = new Map<string, MapEntry>();
    for (const pair of pairs) {
      if (isScalar(pair.key) && pair.key.value === MERGE_KEY && pair.key.type === 'PLAIN') {
        this.#merge(pair.value, merged, depth);
        continue;
      }
      const entry = this.#entry(pair, at, depth);
      if (entry === undefined) continue;
      if (own.has(entry.key))
        this.#source.problems.notice(`key '${entry.key}' is given twice, the last one counts`, entry.keyAt);
      own.set(entry.key, entry);
    }
    if (merged.size === 0) return map(own.values(), at);
    for (const key of own.keys()) merged.delete(key);
    return map([...merged.values(), ...own.values()], at);
  }

  #entry(pair: Pair, mapAt: Position, depth: number): MapEntry | undefined {
    const key = isAlias(pair.key) ? this.#alias(pair.key) : this.convert(pair.key, depth + 1);
    if (key.kind !== 'scalar') {
      this.#source.report('Invalid configuration format: a key must be a text', offsetOf(pair.key));
      return undefined;
    }
    const value = pair.value === null ? scalar('null', '', key.at) : this.convert(pair.value, depth + 1);
    const entry = { key: key.text, keyAt: pair.key === null ? mapAt : key.at, value: withPlace(value, key.at) };
    const comment = isScalar(pair.key) ? pair.key.commentBefore : undefined;
    return typeof comment === 'string' ? { ...entry, comment } : entry;
  }

  /** `<<: *a` and `<<: [*a, *b]`; of several maps the earlier one wins. */
  #merge(value: unknown, into: Map<string, MapEntry>, depth: number): void {
    const node = this.convert(value, depth + 1);
    const sources = node.kind === 'list' ? node.items : [node];
    for (const item of sources) {
      if (item.kind !== 'map') {
        this.#source.report('Invalid YAML syntax: "<<" takes a map or a list of maps', offsetOf(value));
        return;
      }
      for (const entry of item.entries.values()) if (!into.has(entry.key)) into.set(entry.key, entry);
    }
  }

  #alias(alias: Alias): YamlNode {
    const target = this.#anchors.get(alias.source);
    if (target === undefined)
      return this.#refuse(`Invalid YAML syntax: Unknown alias: ${alias.source}`, offsetOf(alias));
    this.#count(this.#sizes.get(target) ?? 1, offsetOf(alias));
    return target;
  }

  #scalar(text: string, plain: boolean, tag: string | undefined, at: Position, offset: number): YamlNode {
    if (tag !== undefined && tag !== '') return this.#taggedScalar(text, tag, at, offset);
    if (!plain) return textNode(text, at);
    const resolved = resolvePlainScalar(text);
    if (resolved.type !== 'date') return scalar(resolved.type, resolved.text, at);
    this.#source.report(`Invalid YAML syntax: Tried to load unspecified class: Date`, offset, `quote it: "${text}"`);
    return textNode(text, at);
  }

  #taggedScalar(text: string, tag: string, at: Position, offset: number): YamlNode {
    if (tag === 'tag:yaml.org,2002:str' || tag === '!') return textNode(text, at);
    if (/^tag:yaml\.org,2002:(int|float|bool|null)$/.test(tag)) {
      const resolved = resolvePlainScalar(text);
      if (resolved.type !== 'date') return scalar(resolved.type, resolved.text, at);
    }
    return this.#refuse(`Invalid YAML syntax: unknown tag ${tag}`, offset);
  }

  #reference(items: readonly YamlNode[], at: Position, offset: number): YamlNode {
    const path = items.flatMap((item) => (item.kind === 'scalar' && item.type !== 'null' ? [item.text] : []));
    if (path.length !== items.length || path.length === 0) {
      return this.#refuse(
        '!reference takes a list of one or more keys',
        offset,
        'for example: !reference [.setup, script]',
      );
    }
    return { kind: 'reference', path, at };
  }

  #refuseTag(tag: string | undefined, offset: number): void {
    if (tag === undefined || /^tag:yaml\.org,2002:(map|seq)$/.test(tag)) return;
    this.#source.report(`Invalid YAML syntax: unknown tag ${tag}`, offset);
  }

  #refuse(message: string, offset: number, hint?: string): YamlNode {
    this.#source.report(message, offset, hint);
    return textNode('', this.#at(offset));
  }

  #count(nodes: number, offset: number): void {
    this.#total += nodes;
    if (this.#total <= MAX_NODES || this.#tooBig) return;
    this.#tooBig = true;
    this.#source.report('The parsed YAML is too big', offset);
  }

  #at(offset: number): Position {
    return positionAt(this.#source.lines, this.#source.file, offset);
  }
}

/** An empty value has no place of its own: errors about it point at its key. */
function withPlace(value: YamlNode, keyAt: Position): YamlNode {
  return value.kind === 'scalar' && value.type === 'null' ? { ...value, at: keyAt } : value;
}

function hasAnchor(node: unknown): node is { readonly anchor: string } {
  return (
    typeof node === 'object' && node !== null && 'anchor' in node && typeof node.anchor === 'string' && !isAlias(node)
  );
}

function offsetOf(node: unknown): number {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return 0;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : 0;
}

function positionAt(lines: LineCounter, file: string, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { file, line, column: col };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
