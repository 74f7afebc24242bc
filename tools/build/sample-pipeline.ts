import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { runCommandLine } from '../../src/commands/command-line.ts';

const configuration = `
stages: [build, test]
build:
  stage: build
  rules:
    - if: $CI_COMMIT_BRANCH
  script: [echo built]
test:
  stage: test
  needs: [build]
  variables: {GREETING: hello}
  script: [echo "$GREETING"]
`;

/**
 * Runs `pipeline list` and `pipeline run` of a small repository in this process.
 * @returns what went wrong, if anything: a machine without git can build, too.
 */
export async function runSamplePipeline(run: typeof runCommandLine): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sample-'));
  try {
    const checkout = makeCheckout(folder);
    const said: string[] = [];
    const environment = {
      stdout: (text: string) => void said.push(text),
      stderr: (text: string) => void said.push(text),
      isTerminal: false,
      env: environmentIn(folder),
      workingDirectory: checkout,
      onSignal: () => () => {},
      exit: (code: number) => process.exit(code),
    };
    for (const command of ['list', 'run']) {
      const code = await run(['pipeline', command], environment);
      if (code !== 0) return `pipeline ${command} ended with ${code}: ${said.join('')}`;
    }
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** No settings and no state of the account that builds. */
function environmentIn(folder: string): Readonly<Record<string, string | undefined>> {
  return { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
}

function makeCheckout(folder: string): string {
  const checkout = join(folder, 'sample');
  mkdirSync(checkout);
  writeFileSync(join(checkout, '.gitlab-ci.yml'), configuration);
  const identity = ['-c', 'user.name=sample', '-c', 'user.email=sample@localhost', '-c', 'commit.gpgsign=false'];
  const git = (...args: readonly string[]): void => {
    execFileSync('git', args, { cwd: checkout, env: environmentIn(folder), stdio: 'pipe' });
  };
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git(...identity, 'commit', '--quiet', '--message', 'Sample');
  return checkout;
}
