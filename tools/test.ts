// `npm test`: every suite this machine allows, and why each skipped one is skipped.
// MILLRACE_REQUIRE_ALL=1 lets a missing requirement fail instead (the peer aside).
// Arguments: names of suites (unit golden contract integration scenario differential), then vitest's own after `--`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RequirementName, requirements } from '../test/support/needs.ts';
import { inRoot, run } from './run.ts';

const allSuites = ['unit', 'golden', 'contract', 'integration', 'scenario', 'differential'];

const isStrict = process.env['MILLRACE_REQUIRE_ALL'] === '1';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

function runSuite(suite: string, extra: readonly string[]): Counts {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const report = join(folder, 'report.json');
  try {
    console.log(`\n== ${suite}`);
    const status = run('vitest', [
      'run',
      '--project',
      suite,
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...extra,
    ]);
    return countsOf(report, status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Errors outside tests (a file that does not load, an unhandled rejection) count as one failure. */
function countsOf(path: string, status: number): Counts {
  let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
    const skipped = skippedTests(report);
    const refused = isStrict ? skipped.filter(({ file }) => !needsPeer(file)) : [];
    for (const { file, name } of refused) console.error(`skipped, but nothing may be skipped here: ${file}: ${name}`);
    counts = {
      passed: report.numPassedTests,
      failed: report.numFailedTests + refused.length,
      skipped: skipped.length - refused.length,
    };
  } catch {
    // No report: the status below says that something went wrong.
  }
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function skippedTests({ testResults }: Report): readonly { readonly file: string; readonly name: string }[] {
  return testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => ({ file, name: fullName })),
  );
}

/** Whether a test file compares with the Go runner, which CI does not have. */
function needsPeer(file: string): boolean {
  return /needs\('peer(-helper)?'\)/.test(readFileSync(file, 'utf8'));
}

function sum(all: readonly Counts[]): Counts {
  return all.reduce(
    (total, counts) => ({
      passed: total.passed + counts.passed,
      failed: total.failed + counts.failed,
      skipped: total.skipped + counts.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

const separator = process.argv.indexOf('--');
const named = process.argv.slice(2, separator === -1 ? undefined : separator);
const extra = separator === -1 ? [] : process.argv.slice(separator + 1);
const suites = named.length === 0 ? allSuites : named;
const unknown = suites.filter((suite) => !allSuites.includes(suite));
if (unknown.length > 0) {
  console.error(`unknown suite: ${unknown.join(', ')}. Suites: ${allSuites.join(', ')}`);
  process.exit(2);
}

// The scenarios run the built program. CI has built it already.
if (process.env['MILLRACE_BUILT'] !== '1' && run('node', [inRoot('tools', 'build.ts')]) !== 0) process.exit(1);
const results = suites.map((suite) => runSuite(suite, extra));
console.log('\n== skipped for want of something');
const missing = (Object.keys(requirements) as RequirementName[]).filter((name) => !requirements[name].isMet());
for (const name of missing) console.log(`  ${name}: ${requirements[name].reason}`);
if (missing.length === 0) console.log('  nothing');
const total = sum(results);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
if (total.failed > 0) process.exitCode = 1;
