import type { Readable } from 'node:stream';
import * as z from 'zod';
import { DaemonError } from '../../../lib/errors.ts';
import { containerInfoSchema, containerSummarySchema, createdSchema, execInfoSchema, waitSchema } from './answers.ts';
import { compareVersions } from './api-version.ts';
import { type DaemonCaller, unlessGone } from './caller.ts';
import type { DockerContainers } from './docker-client.ts';
import { chunksOf } from './frames.ts';
import { containerStream, outputFrames } from './streams.ts';

export function containerCalls(caller: DaemonCaller): DockerContainers {
  return { ...lifeCalls(caller), ...streamCalls(caller), ...execCalls(caller), ...archiveCalls(caller) };
}

type LifeCalls = Pick<
  DockerContainers,
  | 'createContainer'
  | 'startContainer'
  | 'inspectContainer'
  | 'listContainers'
  | 'stopContainer'
  | 'killContainer'
  | 'waitContainer'
  | 'removeContainer'
>;

function lifeCalls(caller: DaemonCaller): LifeCalls {
  return {
    createContainer: async (config, { name, platform }, signal) => {
      const withPlatform = platform !== undefined && compareVersions(await caller.version(signal), '1.41') >= 0;
      const query = { name, platform: withPlatform ? platform : undefined };
      return caller.json({ method: 'POST', path: '/containers/create', query, json: config }, createdSchema, signal);
    },
    startContainer: async (id, signal) => {
      await caller.status({ method: 'POST', path: `/containers/${id}/start` }, signal);
    },
    inspectContainer: (id, signal) =>
      unlessGone(
        caller.json({ method: 'GET', path: `/containers/${id}/json` }, containerInfoSchema, signal),
        undefined,
      ),
    listContainers: ({ all, filters }, signal) =>
      caller.json(
        { method: 'GET', path: '/containers/json', query: { all, filters: JSON.stringify(filters) } },
        z.array(containerSummarySchema),
        signal,
      ),
    stopContainer: async (id, { graceSeconds }, signal) => {
      const call = {
        method: 'POST',
        path: `/containers/${id}/stop`,
        query: { t: graceSeconds },
        isSlow: true,
      } as const;
      return (await unlessGone(caller.status(call, signal), 404)) !== 404;
    },
    killContainer: async (id, options, signal) => {
      const query = { signal: options.signal };
      try {
        await caller.status({ method: 'POST', path: `/containers/${id}/kill`, query }, signal);
        return true;
      } catch (error) {
        if (isRefused(error, 'not_found', 'conflict')) return false;
        // podman: 500 for a container that does not run
        if (error instanceof DaemonError && /not running|is not running|state improper/i.test(error.message))
          return false;
        throw error;
      }
    },
    waitContainer: async (id, { condition, accepted }, signal) => {
      const answer = await caller.open(
        { method: 'POST', path: `/containers/${id}/wait`, query: { condition }, isSlow: true },
        signal,
      );
      accepted?.();
      const { StatusCode, Error: failure } = await readJson(answer, waitSchema);
      return { exitCode: StatusCode | 0, error: failure?.Message ?? '' };
    },
    removeContainer: (id, { volumes }, signal) => removeContainer(caller, id, volumes, signal),
  };
}

async function removeContainer(
  caller: DaemonCaller,
  id: string,
  volumes: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const query = { v: volumes, force: true };
    const call = { method: 'DELETE', path: `/containers/${id}`, query, isSlow: true } as const;
    return (await unlessGone(caller.status(call, signal), 404)) !== 404;
  } catch (error) {
    // "removal of container … is already in progress"
    if (!isRefused(error, 'conflict') || !/already in progress/i.test((error as Error).message)) throw error;
  }
  const query = { condition: 'removed' };
  await unlessGone(
    caller.status({ method: 'POST', path: `/containers/${id}/wait`, query, isSlow: true }, signal),
    undefined,
  );
  return true;
}

function streamCalls(caller: DaemonCaller): Pick<DockerContainers, 'attachContainer' | 'containerLogs'> {
  return {
    attachContainer: async (id, { stdin, stdout, stderr, logs, tty }, signal) => {
      const query = { stream: true, stdin, stdout, stderr, logs };
      const connection = await caller.stream({ method: 'POST', path: `/containers/${id}/attach`, query }, signal);
      return containerStream(connection, tty === true);
    },
    containerLogs: async (id, { follow, timestamps, since, tail, tty }, signal) => {
      const query = { stdout: true, stderr: true, follow, timestamps, since, tail };
      const answer = await caller.open({ method: 'GET', path: `/containers/${id}/logs`, query, isSlow: true }, signal);
      return outputFrames(answer, tty === true);
    },
  };
}

type ExecCalls = Pick<
  DockerContainers,
  'createExec' | 'startExec' | 'startExecDetached' | 'inspectExec' | 'resizeExec'
>;

function execCalls(caller: DaemonCaller): ExecCalls {
  return {
    createExec: async (containerId, config, signal) => {
      const call = { method: 'POST', path: `/containers/${containerId}/exec`, json: config } as const;
      return (await caller.json(call, z.object({ Id: z.string() }), signal)).Id;
    },
    startExec: async (execId, { tty }, signal) => {
      const call = { method: 'POST', path: `/exec/${execId}/start`, json: { Detach: false, Tty: tty } } as const;
      return containerStream(await caller.stream(call, signal), tty);
    },
    startExecDetached: async (execId, signal) => {
      await caller.status(
        { method: 'POST', path: `/exec/${execId}/start`, json: { Detach: true, Tty: false } },
        signal,
      );
    },
    inspectExec: (execId, signal) =>
      caller.json({ method: 'GET', path: `/exec/${execId}/json` }, execInfoSchema, signal),
    resizeExec: async (execId, { rows, columns }, signal) => {
      await caller.status({ method: 'POST', path: `/exec/${execId}/resize`, query: { h: rows, w: columns } }, signal);
    },
  };
}

function archiveCalls(caller: DaemonCaller): Pick<DockerContainers, 'putArchive' | 'getArchive'> {
  return {
    putArchive: async (id, path, tar, signal) => {
      const query = { path, noOverwriteDirNonDir: true };
      await caller.status({ method: 'PUT', path: `/containers/${id}/archive`, query, body: tar, isSlow: true }, signal);
    },
    getArchive: async (id, path, signal) =>
      unlessGone<Readable, undefined>(
        caller.open({ method: 'GET', path: `/containers/${id}/archive`, query: { path }, isSlow: true }, signal),
        undefined,
      ),
  };
}

async function readJson<S extends z.ZodType>(source: Readable, schema: S): Promise<z.output<S>> {
  let text = '';
  for await (const chunk of chunksOf(source)) text += chunk.toString('utf8');
  const parsed = schema.safeParse(parseOrUndefined(text));
  if (!parsed.success) throw new DaemonError('unreachable', 'the daemon broke off its answer', { retryable: true });
  return parsed.data;
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRefused(error: unknown, ...kinds: readonly DaemonError['kind'][]): boolean {
  return error instanceof DaemonError && kinds.includes(error.kind);
}
