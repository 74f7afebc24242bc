import type { IncomingMessage } from 'node:http';
import type { FaultEndpoint } from '../faults/fault-rules.ts';
import type { Answer } from './answer.ts';

/** One request on its way through a handler. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly url: URL;
  /** Values of the `:name` segments of the route. */
  readonly params: Readonly<Record<string, string>>;
  /** Aborted when the client went away or the coordinator closes. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly method: string;
  /** Segments, `:name` for a variable one. A segment called `:id` takes digits only. */
  readonly path: string;
  readonly handle: (exchange: Exchange) => Promise<Answer>;
  /** Name under which faults are injected. */
  readonly faultEndpoint?: FaultEndpoint;
}

export type RouteMatch =
  | { readonly kind: 'found'; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'wrong_method' }
  | { readonly kind: 'absent' };

/** Finds routes by method and path. */
export function createRouter(routes: readonly Route[]): (method: string, path: string) => RouteMatch {
  const compiled = routes.map((route) => ({ route, segments: route.path.split('/') }));
  return (method, path) => {
    const segments = path.replace(/\/$/, '').split('/');
    let isKnownPath = false;
    for (const candidate of compiled) {
      const params = matchSegments(candidate.segments, segments);
      if (params === undefined) continue;
      if (candidate.route.method === method) return { kind: 'found', route: candidate.route, params };
      isKnownPath = true;
    }
    return { kind: isKnownPath ? 'wrong_method' : 'absent' };
  };
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (!part.startsWith(':')) {
      if (part !== segment) return undefined;
      continue;
    }
    if (segment === '' || (part === ':id' && !/^\d{1,15}$/.test(segment))) return undefined;
    params[part.slice(1)] = decodeSegment(segment);
  }
  return params;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
