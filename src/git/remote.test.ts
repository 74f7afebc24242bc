import { describe, expect, it } from 'vitest';
import { planRemote, type RemoteSources } from './remote.ts';
import { cleanRepositoryUrl } from './repository-url.ts';

const sources: RemoteSources = {
  cloneUrl: '',
  runnerUrl: 'https://gitlab.example.com/sub/',
  repositoryUrl: 'https://gitlab-ci-token:tok@gitlab.example.com/sub/group/demo.git',
  projectPath: 'group/demo',
  jobToken: 'tok',
  forceHttpsForSubmodules: false,
  sshHost: 'ssh.example.com',
  sshPort: '',
  urlsWithToken: true,
};

describe('planRemote', () => {
  it('keeps credentials in rewrites only', () => {
    expect(planRemote(sources)).toEqual({
      url: 'https://gitlab.example.com/sub/group/demo.git',
      host: 'https://gitlab.example.com',
      scheme: 'https',
      rewrites: [
        { to: sources.repositoryUrl, from: 'https://gitlab.example.com/sub/group/demo.git' },
        { to: 'https://gitlab-ci-token:tok@gitlab.example.com/sub', from: 'https://gitlab.example.com/sub' },
        { to: 'https://gitlab-ci-token:tok@gitlab.example.com', from: 'https://gitlab.example.com' },
      ],
    });
  });

  it('prefers clone_url', () => {
    const { url, rewrites } = planRemote({ ...sources, cloneUrl: 'http://inside:8080' });
    expect(url).toBe('http://inside:8080/group/demo.git');
    expect(rewrites.map(({ from }) => from)).toEqual([
      'http://inside:8080/group/demo.git',
      'http://inside:8080',
      'https://gitlab.example.com',
    ]);
  });

  it('rewrites ssh addresses of submodules where asked to', () => {
    const force = { ...sources, forceHttpsForSubmodules: true };
    expect(planRemote(force).rewrites).toContainEqual({
      to: 'https://gitlab-ci-token:tok@gitlab.example.com/sub/',
      from: 'git@ssh.example.com:',
    });
    expect(planRemote({ ...force, sshPort: '2222', urlsWithToken: false }).rewrites).toEqual([
      { to: 'https://gitlab.example.com/sub', from: 'ssh://git@ssh.example.com:2222' },
    ]);
  });

  it('takes ssh and local remotes as they are', () => {
    const ssh = planRemote({ ...sources, cloneUrl: 'ssh://host:2222' });
    expect(ssh).toMatchObject({ url: 'ssh://host:2222/group/demo.git', host: 'ssh://host:2222' });
    expect(ssh.rewrites).toEqual([
      { to: 'ssh://git@host:2222/group/demo.git', from: 'ssh://host:2222/group/demo.git' },
    ]);
    expect(planRemote({ ...sources, repositoryUrl: '/srv/demo.git' })).toMatchObject({
      url: '/srv/demo.git',
      host: undefined,
    });
    expect(planRemote({ ...sources, repositoryUrl: 'file:///srv/demo.git' })).toMatchObject({
      url: 'file:///srv/demo.git',
      host: undefined,
    });
  });
});

describe('cleanRepositoryUrl', () => {
  it('cuts credentials, query and fragment', () => {
    expect(cleanRepositoryUrl('https://u:p@host:1/a/b.git?x=1#y')).toBe('https://host:1/a/b.git');
    expect(cleanRepositoryUrl('git@host:a/b.git')).toBe('git@host:a/b.git');
  });
});
