// Everything that can be checked without running the product, cheap before dear. `npm run check`
import { readdirSync } from 'node:fs';
import { inRoot, run, runForOutput } from './run.ts';

interface Check {
  readonly name: string;
  readonly passes: () => boolean;
}

const checks: readonly Check[] = [
  { name: 'format (biome)', passes: () => run('biome', ['check', '--error-on-warnings', '.']) === 0 },
  { name: 'lint (oxlint)', passes: () => run('oxlint', ['--type-aware', '-c', '.oxlintrc.json', '.']) === 0 },
  { name: 'types (tsc)', passes: () => run('tsc', ['-p', '.']) === 0 },
  { name: 'borders (dependency-cruiser)', passes: bordersHold },
  { name: 'dead code (knip)', passes: () => run('knip', []) === 0 },
  { name: 'generated docs', passes: () => run('node', [inRoot('tools', 'docs.ts'), '--check']) === 0 },
];

/** A cruise that saw no modules would pass too: the number of sources has to be the one on disk. */
function bordersHold(): boolean {
  const { status, stdout } = runForOutput('depcruise', [
    'src',
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
  ]);
  const { modules, summary } = JSON.parse(stdout) as {
    readonly modules: readonly { readonly source: string }[];
    readonly summary: {
      readonly violations: readonly {
        readonly from: string;
        readonly to: string;
        readonly rule: { readonly name: string };
      }[];
    };
  };
  for (const violation of summary.violations)
    console.error(`  ${violation.rule.name}: ${violation.from} → ${violation.to}`);
  const cruised = modules.filter((module) => module.source.startsWith('src/')).length;
  const present = readdirSync(inRoot('src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  ).length;
  if (cruised < present) console.error(`  only ${cruised} of ${present} sources were looked at`);
  return status === 0 && summary.violations.length === 0 && cruised >= present;
}

const failed: string[] = [];
for (const check of checks) {
  const started = Date.now();
  const isGood = check.passes();
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${check.name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!isGood) failed.push(check.name);
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
