import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Language, type Node, Parser } from 'web-tree-sitter';

const require = createRequire(import.meta.url);

/** Parses PowerShell with the tree-sitter grammar, which needs no PowerShell. */
export async function powershellParser(): Promise<{ readonly errors: (script: string) => readonly string[] }> {
  // The grammar's lexer is one huge function: V8's optimising compiler runs out of memory on it.
  setFlagsFromString('--no-wasm-tier-up');
  setFlagsFromString('--no-wasm-dynamic-tiering');
  await Parser.init();
  const grammar = join(dirname(require.resolve('tree-sitter-pwsh/package.json')), 'tree-sitter-powershell.wasm');
  const parser = new Parser();
  parser.setLanguage(await Language.load(readFileSync(grammar)));
  return {
    errors: (script) => {
      const tree = parser.parse(script.replace(/^\uFEFF/, ''));
      if (tree === null) return ['not parsed at all'];
      return tree.rootNode.hasError ? errorsIn(tree.rootNode) : [];
    },
  };
}

function errorsIn(node: Node): readonly string[] {
  if (node.isError || node.isMissing) return [`line ${node.startPosition.row + 1}: ${node.text.slice(0, 120)}`];
  return node.children.flatMap((child) => (child === null ? [] : errorsIn(child)));
}
