import { describe, expect, it } from 'vitest';
import { proxyFromEnvironment } from './proxy-environment.ts';

function proxyOf(target: string, environment: Record<string, string>): string | undefined {
  return proxyFromEnvironment(environment)(new URL(target))?.href;
}

describe('proxyFromEnvironment', () => {
  it('chooses by the scheme of the target, in either case', () => {
    const environment = { HTTP_PROXY: 'http://a:1', https_proxy: 'http://b:2' };
    expect(proxyOf('http://gitlab.test/', environment)).toBe('http://a:1/');
    expect(proxyOf('https://gitlab.test/', environment)).toBe('http://b:2/');
  });

  it('takes a proxy without a scheme as http', () => {
    expect(proxyOf('http://gitlab.test/', { HTTP_PROXY: 'proxy.test:3128' })).toBe('http://proxy.test:3128/');
  });

  it.each(['http://localhost/', 'http://127.0.0.1:8080/', 'http://127.9.9.9/', 'http://[::1]/'])(
    'never proxies %s',
    (target) => {
      expect(proxyOf(target, { HTTP_PROXY: 'http://a:1' })).toBeUndefined();
    },
  );

  it('ignores HTTP_PROXY in a CGI environment, where a client can set it', () => {
    expect(proxyOf('http://gitlab.test/', { HTTP_PROXY: 'http://a:1', REQUEST_METHOD: 'GET' })).toBeUndefined();
  });

  it.each([
    ['gitlab.test', 'http://gitlab.test/', true],
    ['gitlab.test', 'http://sub.gitlab.test/', true],
    ['gitlab.test', 'http://notgitlab.test/', false],
    ['.gitlab.test', 'http://gitlab.test/', false],
    ['.gitlab.test', 'http://sub.gitlab.test/', true],
    ['*.gitlab.test', 'http://sub.gitlab.test/', true],
    ['gitlab.test:8080', 'http://gitlab.test:8080/', true],
    ['gitlab.test:8080', 'http://gitlab.test/', false],
    ['gitlab.test:80', 'http://gitlab.test/', true],
    ['10.0.0.0/8', 'http://10.1.2.3/', true],
    ['10.0.0.0/8', 'http://11.1.2.3/', false],
    ['10.1.2.3', 'http://10.1.2.3/', true],
    ['fd00::/8', 'http://[fd00::1]/', true],
    ['fd00::1', 'http://[fd00::1]/', true],
    ['*', 'http://anything.test/', true],
    [' a.test , gitlab.test ', 'http://gitlab.test/', true],
    ['GITLAB.test', 'http://gitlab.test/', true],
  ])('NO_PROXY=%s, %s → direct: %s', (list, target, isDirect) => {
    expect(proxyOf(target, { HTTP_PROXY: 'http://a:1', NO_PROXY: list }) === undefined).toBe(isDirect);
  });
});
