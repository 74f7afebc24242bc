import { describe, expect, it } from 'vitest';
import { credentialPath, lookupPaths } from './registry-path.ts';

describe('credentialPath', () => {
  it.each([
    ['https://index.docker.io/v1/', 'docker.io'],
    ['http://Registry.Example.com:5000/v2/', 'registry.example.com:5000'],
    ['127.0.0.1:5000', '127.0.0.1:5000'],
    ['Registry.example.com/Group/', 'registry.example.com/Group'],
    ['registry.example.com:5000/group/app:1.2', 'registry.example.com:5000/group/app'],
  ])('%s → %s', (key, path) => expect(credentialPath(key)).toBe(path));
});

describe('lookupPaths', () => {
  it.each([
    ['ruby:3', ['docker.io/ruby', 'docker.io']],
    ['index.docker.io/user/app', ['docker.io/user/app', 'docker.io/user', 'docker.io']],
    ['HOST:5000/a/b:1@sha256:00', ['host:5000/a/b', 'host:5000/a', 'host:5000']],
  ])('%s', (name, paths) => expect(lookupPaths(name)).toEqual(paths));
});
