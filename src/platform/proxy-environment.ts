import { BlockList, isIP } from 'node:net';

/** The proxy for a URL, or undefined where it is reached directly. */
export type ProxyResolver = (target: URL) => URL | undefined;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY (either case) as the runner's users know them (spec protocol.md §7.2):
 * localhost and loopback addresses are never proxied, HTTP_PROXY is ignored in a CGI environment.
 * A malformed proxy URL is reported when it would be used.
 */
export function proxyFromEnvironment(environment: Environment): ProxyResolver {
  const read = (name: string): string => environment[name] ?? environment[name.toLowerCase()] ?? '';
  const isCgi = (environment['REQUEST_METHOD'] ?? '') !== '';
  const forHttp = isCgi ? (environment['http_proxy'] ?? '') : read('HTTP_PROXY');
  const forHttps = read('HTTPS_PROXY');
  const isExcluded = exclusionsOf(read('NO_PROXY'));
  return (target) => {
    const text = target.protocol === 'https:' ? forHttps : forHttp;
    if (text === '') return undefined;
    const host = bareHost(target);
    const port = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port;
    return isLoopback(host) || isExcluded(host, port) ? undefined : parseProxyUrl(text);
  };
}

function parseProxyUrl(text: string): URL {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  return new URL(withScheme);
}

function bareHost(target: URL): string {
  return target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

type Rule = (host: string, port: string) => boolean;

function exclusionsOf(list: string): Rule {
  const rules = list
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '')
    .map(ruleOf);
  return (host, port) => rules.some((rule) => rule(host, port));
}

function ruleOf(item: string): Rule {
  if (item === '*') return () => true;
  const range = rangeOf(item);
  if (range !== undefined) return (host) => isIP(host) !== 0 && range.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  const { name, port: wantedPort } = splitPort(item);
  const samePort = (port: string): boolean => wantedPort === '' || wantedPort === port;
  if (isIP(name) !== 0) return (host, port) => host === name && samePort(port);
  const domain = name.replace(/^\*/, '');
  if (domain.startsWith('.')) return (host, port) => host.endsWith(domain) && samePort(port);
  return (host, port) => (host === domain || host.endsWith(`.${domain}`)) && samePort(port);
}

function rangeOf(item: string): BlockList | undefined {
  const [address, bits] = item.split('/');
  if (address === undefined || bits === undefined || !/^\d+$/.test(bits)) return undefined;
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 6 ? 128 : 32)) return undefined;
  const range = new BlockList();
  range.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  return range;
}

function splitPort(item: string): { readonly name: string; readonly port: string } {
  if (isIP(item) === 6) return { name: item, port: '' };
  const match = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(item);
  return { name: match?.[1] ?? item, port: match?.[2] ?? '' };
}
