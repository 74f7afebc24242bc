import { type Entry, entryProblem, flattenList, isText } from '../yaml/reader.ts';

const DEFAULT_STAGES = ['build', 'test', 'deploy'];

/** Reads `stages`; `.pre` is always first and `.post` last (spec local-pipeline.md §2.1). */
export function readStages(entry: Entry | undefined): readonly string[] {
  if (entry === undefined) return around(DEFAULT_STAGES);
  const nodes = entry.node.kind === 'list' ? flattenList(entry.node) : undefined;
  if (nodes === undefined || !nodes.every(isText)) {
    entryProblem(entry, 'should be an array of strings');
    return around(DEFAULT_STAGES);
  }
  return around(nodes.map((node) => node.text));
}

function around(stages: readonly string[]): readonly string[] {
  const names = new Set(stages);
  names.delete('.pre');
  names.delete('.post');
  return ['.pre', ...names, '.post'];
}
