import { expect, test } from 'vitest';
import { parseRemoteUrl } from './remote-address.ts';
import { resolveSubmoduleUrl } from './submodule-url.ts';

const served = { kind: 'served', path: 'group/sub/app' } as const;

test.each([
  ['../lib.git', { kind: 'served', path: 'group/sub/lib' }],
  ['../../other/lib', { kind: 'served', path: 'group/other/lib' }],
  ['./nested', { kind: 'served', path: 'group/sub/app.git/nested' }],
  ['../lib/', { kind: 'served', path: 'group/sub/lib' }],
  ['../../../../lib', undefined],
  ['https://example.com/x.git', { kind: 'foreign', url: 'https://example.com/x.git' }],
  ['git@example.com:x.git', { kind: 'foreign', url: 'git@example.com:x.git' }],
  ['/srv/x', { kind: 'foreign', url: '/srv/x' }],
])('a submodule at %s', (url, expected) => {
  expect(resolveSubmoduleUrl(served, url)).toEqual(expected);
});

test('relative to a repository of another server, as git does it', () => {
  const below = (url: string, relative: string) => resolveSubmoduleUrl({ kind: 'foreign', url }, relative);
  expect(below('https://example.com/a/b.git', '../c.git')).toEqual({
    kind: 'foreign',
    url: 'https://example.com/a/c.git',
  });
  expect(below('git@example.com:a/b.git', '../../c.git')).toEqual({ kind: 'foreign', url: 'git@example.com:c.git' });
});

test.each([
  [
    'https://user:pw@gitlab.example.com:8443/group/sub/app.git',
    { scheme: 'https', host: 'gitlab.example.com', port: 8443, projectPath: 'group/sub/app' },
  ],
  ['git@gitlab.com:group/app.git', { scheme: 'ssh', host: 'gitlab.com', port: undefined, projectPath: 'group/app' }],
  ['ssh://git@GitLab.com:2222/group/app', { scheme: 'ssh', host: 'gitlab.com', port: 2222, projectPath: 'group/app' }],
  ['http://host/app/', { scheme: 'http', host: 'host', port: undefined, projectPath: 'app' }],
  ['/srv/git/app.git', undefined],
  ['file:///srv/git/app.git', undefined],
  ['C:/git/app', undefined],
])('remote %s', (url, expected) => {
  expect(parseRemoteUrl(url)).toEqual(expected);
});
