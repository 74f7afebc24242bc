import { ApiError } from '../lib/errors.ts';
import { DialingAgent } from './http-agent.ts';
import { attempt, type Exchange, nameOf, StaleConnectionError } from './http-attempt.ts';
import { unreachableError } from './http-dial.ts';
import type { HttpRequest, HttpResponse } from './http-message.ts';
import { redirectOf } from './http-redirect.ts';
import type { ProxyResolver } from './proxy-environment.ts';
import type { TlsFilePaths, TlsMaterial, TlsTrust } from './tls-trust.ts';

export type { HttpRequest, HttpResponse } from './http-message.ts';

const MAX_REDIRECTS = 10;

/** One per coordinator client; owns its connections. */
export interface HttpClient {
  /**
   * Sends a request and resolves when the headers of the final answer have come, whatever the status.
   * @throws ApiError `unreachable` for every failure of the transport; the signal's reason when it is aborted.
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  /** Closes idle connections; later requests open new ones. */
  close(): void;
}

export interface HttpClientOptions {
  readonly trust: TlsTrust;
  readonly tlsFiles: TlsFilePaths;
  readonly proxyFor: ProxyResolver;
  /** Idle connections are closed when this long has passed since that was last done; 0 = never. */
  readonly connectionMaxAgeMs: number;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const agents = new Map<string, DialingAgent>();
  let material: TlsMaterial | undefined;
  let agedSince = performance.now();

  function closeIdle(): void {
    for (const agent of agents.values()) agent.closeIdle();
    agedSince = performance.now();
  }

  async function refreshMaterial(): Promise<TlsMaterial> {
    const next = await options.trust.load(options.tlsFiles, material);
    if (material !== undefined && next !== material) {
      closeIdle();
      agents.clear();
    }
    material = next;
    return next;
  }

  async function prepare(request: HttpRequest): Promise<Exchange> {
    const { url } = request;
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new ApiError('protocol', `only http or https scheme supported, not ${url.protocol}`);
    }
    if (options.connectionMaxAgeMs > 0 && performance.now() - agedSince > options.connectionMaxAgeMs) closeIdle();
    const proxy = resolveProxy(options.proxyFor, url);
    if (url.protocol === 'https:' || proxy?.protocol === 'https:') {
      const loaded = await loadOrFail(refreshMaterial);
      return { request, material: loaded, proxy, texts: { ...loaded } };
    }
    const files = options.tlsFiles;
    const hasFiles = files.caFile !== '' || files.certFile !== '';
    const texts = hasFiles ? await loadOrFail(() => options.trust.readTexts(files)) : noTexts;
    return {
      request,
      material: undefined,
      proxy,
      texts: { ...texts, clientCertificate: texts.cert, clientKey: texts.key },
    };
  }

  function agentFor(protocol: string): DialingAgent {
    const known = agents.get(protocol);
    if (known !== undefined) return known;
    const agent = new DialingAgent(protocol === 'https:' ? 'https:' : 'http:');
    agents.set(protocol, agent);
    return agent;
  }

  async function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const prepared = await prepare(request);
    const agent = agentFor(request.url.protocol);
    try {
      return await attempt(prepared, agent, signal);
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
      agent.closeIdle();
    }
    try {
      return await attempt(prepared, agent, signal);
    } catch (error) {
      // A connection that another request had just given back, and the server closed that one too.
      if (error instanceof StaleConnectionError) throw unreachableError(nameOf(request), error);
      throw error;
    }
  }

  return {
    send: async (request, signal) => {
      let next = request;
      for (let hops = 0; ; hops += 1) {
        const response = await exchange(next, signal);
        const redirected = request.redirect === 'manual' ? undefined : redirectOf(next, response);
        if (redirected === undefined) return response;
        response.discard();
        if (hops === MAX_REDIRECTS) throw new ApiError('unreachable', `stopped after ${MAX_REDIRECTS} redirects`);
        next = redirected;
      }
    },
    close: closeIdle,
  };
}

const noTexts = { caText: undefined, cert: '', key: '' };

function resolveProxy(proxyFor: ProxyResolver, url: URL): URL | undefined {
  try {
    return proxyFor(url);
  } catch (error) {
    throw new ApiError('unreachable', 'The proxy URL of HTTP_PROXY or HTTPS_PROXY cannot be read', { cause: error });
  }
}

async function loadOrFail<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw unreachableError('load the TLS files', error);
  }
}
