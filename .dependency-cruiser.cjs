// The border rules stand in tools/borders.json; docs/architecture.md shows the same table.
const { folders, pure } = require('./tools/borders.json');

const isRoot = (name) => name === 'root';
const pathOf = (name) => (isRoot(name) ? '^src/[^/]+\\.ts$' : `^src/${name}(/|\\.ts$)`);
const nested = (name) => Object.keys(folders).filter((other) => other.startsWith(`${name}/`));

function ownFiles(name) {
  const inner = nested(name).map(pathOf);
  return inner.length === 0 ? { path: pathOf(name) } : { path: pathOf(name), pathNot: inner };
}

function borderRules(name, { mayImport }) {
  if (mayImport.includes('*')) return [];
  const always = mayImport.filter((entry) => !entry.endsWith(':types'));
  const typesOnly = mayImport
    .filter((entry) => entry.endsWith(':types'))
    .map((entry) => entry.slice(0, -':types'.length));
  const from = { ...ownFiles(name) };
  from.pathNot = [...(from.pathNot ?? []), '\\.test\\.ts$'];
  const rules = [
    {
      name: `border-${name}`,
      severity: 'error',
      comment: `src/${name} may import: ${mayImport.join(', ') || 'nothing of ours'}`,
      from,
      to: { path: '^src/', pathNot: [pathOf(name), ...always.map(pathOf), ...typesOnly.map(pathOf)] },
    },
  ];
  if (typesOnly.length > 0) {
    rules.push({
      name: `types-only-${name}`,
      severity: 'error',
      comment: `src/${name} may import only types of: ${typesOnly.join(', ')}`,
      from,
      to: { path: typesOnly.map(pathOf), dependencyTypesNot: ['type-only'] },
    });
  }
  return rules;
}

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...Object.entries(folders).flatMap(([name, rule]) => borderRules(name, rule)),
    {
      name: 'pure-folders-do-no-io',
      severity: 'error',
      from: { path: pure.map(pathOf), pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(path|path/posix|path/win32|crypto|url|buffer|util)$' },
    },
    {
      name: 'tools-stay-out',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(test|bench|tools)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
