import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scriptJob } from '../../test/support/runner-bench.ts';
import type { Figure } from '../support/figure.ts';
import { Samples } from '../support/measurement.ts';
import { comparedPrograms } from '../support/program.ts';
import { jobSeconds, withStand } from '../support/stand.ts';

const folderCount = 50;
const filesPerFolder = 100;

/** A job that clones 5,000 files. */
export const gitClone: Figure = {
  name: 'clone',
  title: 'git clone of 5,000 files',
  measure: (options) =>
    withStand(async (stand) => {
      const samples = new Samples();
      const runners = await stand.startRunners(comparedPrograms(options), {
        concurrent: 1,
        executor: 'shell',
        home: 'empty',
      });
      const payload = cloneJob(join(stand.folder, 'repository'));
      for (let run = -1; run < (options.runs ?? 5); run += 1) {
        for (const runner of runners) {
          const job = await stand.runJob(runner, payload);
          if (run >= 0) samples.add(runner.kind, jobSeconds(job));
        }
      }
      return [samples.measurement('job that clones 5,000 files', 's')];
    }),
};

function cloneJob(folder: string): unknown {
  const sha = makeRepository(folder);
  return scriptJob({
    script: ['true'],
    variables: { GIT_STRATEGY: 'clone', GIT_DEPTH: '20' },
    payload: {
      git_info: {
        repo_url: pathToFileURL(folder).href,
        ref: 'main',
        sha,
        before_sha: '0'.repeat(40),
        ref_type: 'branch',
        refspecs: ['+refs/heads/main:refs/remotes/origin/main'],
        depth: 20,
      },
    },
  });
}

/** @returns the commit */
function makeRepository(folder: string): string {
  for (let number = 0; number < folderCount; number += 1) {
    const path = join(folder, `folder-${number}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < filesPerFolder; file += 1) {
      writeFileSync(join(path, `file-${file}.txt`), `file ${file} of folder ${number}\n`.repeat(20 + (file % 80)));
    }
  }
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', '-c', 'commit.gpgsign=false'];
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', folder, ...identity, ...args], { encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('commit', '--quiet', '--message', 'Files');
  return git('rev-parse', 'HEAD');
}
