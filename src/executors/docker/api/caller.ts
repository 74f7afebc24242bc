import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type * as z from 'zod';
import { DaemonError } from '../../../lib/errors.ts';
import { compareVersions } from './api-version.ts';
import { type DaemonCall, type DaemonTransport, hijack, send, sendForJson, sendForStatus } from './transport.ts';

/** A call without the version in its path: `/containers/json`. */
export type VersionedCall = DaemonCall;

/** Calls of one daemon at the version that was agreed with it. */
export interface DaemonCaller {
  version(signal: AbortSignal): Promise<string>;
  /** The daemon's clock in whole seconds since 1970, rounded down; undefined = it does not say. */
  daemonSeconds(signal: AbortSignal): Promise<number | undefined>;
  open(call: VersionedCall, signal: AbortSignal): Promise<IncomingMessage>;
  json<S extends z.ZodType>(call: VersionedCall, schema: S, signal: AbortSignal): Promise<z.output<S>>;
  status(call: VersionedCall, signal: AbortSignal): Promise<number>;
  stream(call: VersionedCall, signal: AbortSignal): Promise<Duplex>;
}

/** The newest API that this program knows, and the oldest it accepts (spec docker.md §2). */
const NEWEST = '1.51';
const OLDEST = '1.40';

/** @param pinned `DOCKER_API_VERSION`; empty = agree with the daemon at the first call. */
export function createCaller(transport: DaemonTransport, pinned: string): DaemonCaller {
  let agreed = pinned === '' ? undefined : pinned.replace(/^v/, '');

  async function version(signal: AbortSignal): Promise<string> {
    if (agreed !== undefined) return agreed;
    const { headers } = await sendForStatus(transport, { method: 'GET', path: '/_ping' }, signal);
    const named = headers['api-version'];
    const offered = typeof named === 'string' && named !== '' ? named : OLDEST;
    if (compareVersions(offered, OLDEST) < 0) {
      throw new DaemonError(
        'protocol',
        `API version ${offered} is not supported by this client: the minimum supported API version is ${OLDEST}`,
        { hint: 'The Docker daemon is too old: 19.03 or later is needed.' },
      );
    }
    agreed = compareVersions(offered, NEWEST) < 0 ? offered : NEWEST;
    return agreed;
  }

  async function versioned(call: VersionedCall, signal: AbortSignal): Promise<DaemonCall> {
    return { ...call, path: `/v${await version(signal)}${call.path}` };
  }

  return {
    version,
    daemonSeconds: async (signal) => {
      const { headers } = await sendForStatus(transport, { method: 'GET', path: '/_ping' }, signal);
      const milliseconds = Date.parse(headers.date ?? '');
      return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
    },
    open: async (call, signal) => send(transport, await versioned(call, signal), signal),
    json: async (call, schema, signal) => sendForJson(transport, await versioned(call, signal), schema, signal),
    status: async (call, signal) => (await sendForStatus(transport, await versioned(call, signal), signal)).status,
    stream: async (call, signal) => hijack(transport, await versioned(call, signal), signal),
  };
}

/** For calls where "there is none" is an answer. Only the daemon's word counts, not a lost connection. */
export async function unlessGone<T, G>(work: Promise<T>, gone: G): Promise<T | G> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DaemonError && error.kind === 'not_found') return gone;
    throw error;
  }
}
