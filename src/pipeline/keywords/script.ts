import type { YamlNode } from '../yaml/nodes.ts';
import { type Entry, entryProblem, flattenList, isText } from '../yaml/reader.ts';

const EXPECTED = 'should be a string or a nested array of strings up to 10 levels deep';

/**
 * Reads `script` and its kin: a string, or strings in lists nested up to ten levels (spec local-pipeline.md §9.2).
 * Undefined if it is neither, which is a problem then.
 */
export function readScript(entry: Entry): readonly string[] | undefined {
  if (isText(entry.node)) return entry.node.text === '' ? [] : [entry.node.text];
  const lines = entry.node.kind === 'list' ? flattenList(entry.node) : undefined;
  if (lines === undefined) {
    entryProblem(entry, EXPECTED);
    return undefined;
  }
  const texts = lines.filter(isText);
  if (texts.length === lines.length) return texts.map((line) => line.text);
  for (const line of lines) if (!isText(line)) entryProblem(entry, EXPECTED, line.at, hintFor(line));
  return undefined;
}

function hintFor(line: YamlNode): string | undefined {
  if (line.kind === 'map') return 'a line with a colon and a space is a map for YAML: put it in quotes';
  return line.kind === 'scalar' && line.type !== 'null' ? 'put it in quotes' : undefined;
}
