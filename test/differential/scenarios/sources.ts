import type { Scenario } from '../scenario.ts';

const look = ['ls -A | grep -v "^.git$"', 'cat file.txt', 'git rev-list --count HEAD'];

/** get_sources. */
export const sourceScenarios: readonly Scenario[] = [
  {
    name: 'fetch twice',
    jobs: [
      { sources: 'plain', script: [...look, 'touch left x.ignored', 'echo changed > file.txt'] },
      { sources: 'plain', script: look, ref: 'feature/branch' },
    ],
  },
  {
    name: 'clone twice',
    jobs: [
      { sources: 'plain', script: [...look, 'touch left'], variables: { GIT_STRATEGY: 'clone' } },
      { sources: 'plain', script: look, variables: { GIT_STRATEGY: 'clone' } },
    ],
  },
  {
    name: 'the strategy of the payload',
    jobs: [{ sources: 'plain', script: look, variables: { GIT_STRATEGY: '' }, payload: { allow_git_fetch: false } }],
  },
  {
    name: 'none keeps files and empty removes them',
    jobs: [
      { script: ['touch kept', 'ls'] },
      { script: ['ls'] },
      { script: ['ls -A', 'pwd'], variables: { GIT_STRATEGY: 'empty' } },
    ],
  },
  {
    name: 'depth and its end',
    jobs: [
      { sources: 'plain', script: look, depth: 1, refspecs: ['+refs/heads/main:refs/remotes/origin/main'] },
      { sources: 'plain', script: look, depth: 0 },
    ],
  },
  {
    name: 'refspecs of a merge request',
    jobs: [
      {
        sources: 'plain',
        script: [...look, 'git for-each-ref --format="%(refname)"'],
        refspecs: ['+refs/heads/feature/branch:refs/pipelines/5', '+refs/heads/main:refs/remotes/origin/main'],
        depth: 2,
      },
    ],
  },
  { name: 'a tag', jobs: [{ sources: 'plain', script: [...look, 'git describe --tags'], ref: 'v1' }] },
  { name: 'without checkout', jobs: [{ sources: 'plain', script: ['ls -A'], variables: { GIT_CHECKOUT: 'false' } }] },
  {
    name: 'own flags to clean',
    jobs: [
      { sources: 'plain', script: ['touch left x.ignored'] },
      { sources: 'plain', script: look, variables: { GIT_CLEAN_FLAGS: '-ffdx -e left' } },
      { sources: 'plain', script: ['ls', 'touch other'], variables: { GIT_CLEAN_FLAGS: '-ffd' } },
      { sources: 'plain', script: look, variables: { GIT_CLEAN_FLAGS: 'none' } },
    ],
  },
  {
    name: 'own flags to fetch',
    jobs: [
      {
        sources: 'plain',
        script: look,
        variables: { GIT_FETCH_EXTRA_FLAGS: '--prune --no-tags' },
        refspecs: ['+refs/heads/main:refs/remotes/origin/main'],
      },
    ],
  },
  {
    name: 'no flags to fetch',
    jobs: [{ sources: 'plain', script: ['ls'], variables: { GIT_FETCH_EXTRA_FLAGS: 'none' } }],
  },
  {
    name: 'over a file URL',
    jobs: [{ sources: 'plain', script: look, byFile: true }],
  },
  {
    name: 'what a job leaves in the repository',
    jobs: [
      {
        sources: 'plain',
        script: [
          'touch .git/index.lock .git/config.lock .git/refs/heads/x.lock',
          'git config user.name Eve',
          'git checkout -q -b local',
        ],
      },
      { sources: 'plain', script: [...look, 'git config user.name || echo none', 'ls .git/*.lock || echo none'] },
    ],
  },
  {
    name: 'credentials inside the project',
    jobs: [
      {
        sources: 'plain',
        script: ['git remote -v | sed "s,127.0.0.1:[0-9]*,HOST,"', 'git ls-remote origin refs/heads/main | cut -c1-8'],
      },
    ],
  },
  {
    name: 'URLs without tokens',
    jobs: [
      {
        sources: 'plain',
        script: [
          ...look,
          'git remote -v | sed "s,127.0.0.1:[0-9]*,HOST,"',
          'git ls-remote origin refs/heads/main | cut -c1-8',
        ],
        variables: { FF_GIT_URLS_WITHOUT_TOKENS: 'true', CI_JOB_TOKEN: 'token-of-the-repository' },
      },
    ],
  },
  {
    name: 'submodules',
    jobs: [
      {
        sources: 'parent',
        script: [
          'find . -name "*.txt" | sort',
          'git submodule status | cut -c1-9',
          'echo changed > outer/outer.txt',
          'touch outer/left',
        ],
        variables: { GIT_SUBMODULE_STRATEGY: 'normal' },
      },
      {
        sources: 'parent',
        script: ['find . -name "*.txt" -o -name left | sort', 'cat outer/outer.txt'],
        variables: { GIT_SUBMODULE_STRATEGY: 'normal' },
      },
    ],
  },
  {
    name: 'submodules in submodules',
    jobs: [
      {
        sources: 'parent',
        script: ['find . -name "*.txt" | sort', 'git submodule status --recursive | cut -c1-9'],
        variables: { GIT_SUBMODULE_STRATEGY: 'recursive', GIT_SUBMODULE_DEPTH: '1' },
        depth: 5,
      },
    ],
  },
  {
    name: 'submodules by path',
    jobs: [
      {
        sources: 'parent',
        script: ['find . -name "*.txt" | sort'],
        variables: { GIT_SUBMODULE_STRATEGY: 'normal', GIT_SUBMODULE_PATHS: ':(exclude)outer' },
      },
    ],
  },
  {
    name: 'large files',
    needsLfs: true,
    jobs: [{ sources: 'large', byFile: true, script: ['cat big.bin', 'ls'] }],
  },
  {
    name: 'large files left out',
    needsLfs: true,
    jobs: [{ sources: 'large', byFile: true, script: ['head -1 big.bin'], variables: { GIT_LFS_SKIP_SMUDGE: '1' } }],
  },
  {
    name: 'hooks of the job',
    jobs: [
      {
        sources: 'plain',
        script: ['echo script'],
        payload: {
          hooks: [
            {
              name: 'pre_get_sources_script',
              script: ['[ "$PWD" = "$HOME" ] && echo "in the folder of the manager"', 'echo two\necho lines'],
            },
            { name: 'post_get_sources_script', script: ['echo "after with $(ls | wc -l)"'] },
          ],
        },
      },
    ],
  },
  {
    name: 'a failing hook',
    jobs: [
      {
        sources: 'plain',
        script: ['echo never'],
        afterScript: ['echo never'],
        payload: { hooks: [{ name: 'pre_get_sources_script', script: ['echo failing', 'exit 8'] }] },
      },
    ],
  },
  {
    name: 'a missing repository and a second attempt',
    jobs: [
      {
        sources: 'plain',
        script: ['echo never'],
        variables: { GET_SOURCES_ATTEMPTS: '2' },
        payload: { git_info: { repo_url: 'file:///nowhere/project.git' } },
      },
    ],
  },
  {
    name: 'a missing commit',
    jobs: [{ sources: 'plain', script: ['echo never'], payload: { git_info: { sha: 'c'.repeat(40) } } }],
  },
  {
    name: 'the second attempt works',
    jobs: [
      {
        sources: 'plain',
        script: ['ls', 'echo fine'],
        variables: { GET_SOURCES_ATTEMPTS: '3', FF_USE_EXPONENTIAL_BACKOFF_STAGE_RETRY: 'false' },
        payload: {
          hooks: [
            {
              name: 'pre_get_sources_script',
              script: [
                'marker=/tmp/millrace-attempt-$CI_RUNNER_SHORT_TOKEN; if [ ! -e $marker ]; then touch $marker; exit 1; else rm $marker; fi',
              ],
            },
          ],
        },
      },
    ],
  },
  {
    name: 'a project path with blanks',
    jobs: [
      {
        sources: 'plain',
        script: ['pwd', 'ls'],
        payload: { git_info: { repo_url: 'http://gitlab-ci-token:x@127.0.0.1:1/group/sub group/größe/plain.git' } },
        variables: { GIT_STRATEGY: 'none' },
      },
    ],
  },
  {
    name: 'no address of a repository',
    jobs: [{ script: ['pwd'], payload: { git_info: { repo_url: '' } } }],
  },
  {
    name: 'wrong flags to fetch',
    jobs: [{ sources: 'plain', script: ['ls'], variables: { GIT_FETCH_EXTRA_FLAGS: '--no-such-flag' } }],
  },
  {
    name: 'submodules with flags',
    jobs: [
      {
        sources: 'parent',
        script: ['find . -name "*.txt" | sort'],
        variables: { GIT_SUBMODULE_STRATEGY: 'recursive', GIT_SUBMODULE_UPDATE_FLAGS: '--jobs 2 --remote' },
      },
    ],
  },
  {
    name: 'clone without checkout',
    jobs: [{ sources: 'plain', script: ['ls -A'], variables: { GIT_STRATEGY: 'clone', GIT_CHECKOUT: 'false' } }],
  },
  {
    name: 'from files to sources',
    jobs: [
      {
        script: ['echo mine > file.txt', 'mkdir folder'],
        payload: { git_info: { repo_url: 'http://x@127.0.0.1/from-files-to-sources/plain.git' } },
      },
      { sources: 'plain', script: ['cat file.txt', 'ls'] },
    ],
  },
  {
    name: 'a broken repository',
    jobs: [
      { sources: 'plain', script: ['echo broken > .git/HEAD'] },
      { sources: 'plain', script: ['cat file.txt'] },
    ],
  },
  {
    name: 'a broken repository and a second attempt',
    jobs: [
      { sources: 'plain', script: ['rm -rf .git/objects'] },
      {
        sources: 'plain',
        script: ['cat file.txt'],
        variables: { GET_SOURCES_ATTEMPTS: '2', FF_USE_EXPONENTIAL_BACKOFF_STAGE_RETRY: 'false' },
      },
    ],
  },
  {
    name: 'hooks that a job leaves',
    jobs: [
      {
        sources: 'plain',
        script: [
          'mkdir -p .git/hooks',
          'printf "#!/bin/sh\\necho hooked\\n" > .git/hooks/post-checkout',
          'cp .git/hooks/post-checkout .git/hooks/post-index-change',
          'chmod +x .git/hooks/*',
        ],
      },
      { sources: 'plain', script: ['ls .git/hooks'] },
    ],
  },
  {
    name: 'files that cannot be written',
    jobs: [
      { sources: 'plain', script: ['mkdir ro', 'touch ro/f', 'chmod 500 ro', 'chmod 400 file.txt'] },
      { sources: 'plain', script: ['ls', 'stat -c %a file.txt'], variables: { GIT_STRATEGY: 'clone' } },
    ],
  },
  {
    name: 'sha256 objects',
    jobs: [{ sources: 'plain', script: ['ls'], payload: { git_info: { repo_object_format: 'sha256' } } }],
  },
  {
    name: 'hooks as sections',
    jobs: [
      {
        sources: 'plain',
        script: ['true'],
        variables: { FF_SCRIPT_SECTIONS: 'true' },
        payload: {
          hooks: [
            { name: 'pre_get_sources_script', script: ['echo a\necho b'] },
            { name: 'post_get_sources_script', script: ['echo c\necho d'] },
          ],
        },
      },
    ],
  },
  {
    name: 'a failing hook after the sources',
    jobs: [
      {
        sources: 'plain',
        script: ['echo never'],
        payload: {
          hooks: [{ name: 'post_get_sources_script', script: ['exit 3'] }],
          cache: [{ key: 'k', paths: ['file.txt'], when: 'always' }],
          artifacts: [{ paths: ['file.txt'], when: 'always', artifact_type: 'archive', artifact_format: 'zip' }],
        },
      },
    ],
  },
];
