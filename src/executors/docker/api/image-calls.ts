import * as z from 'zod';
import { DaemonError } from '../../../lib/errors.ts';
import { imageInfoSchema, imageSummarySchema } from './answers.ts';
import { compareVersions } from './api-version.ts';
import { type DaemonCaller, unlessGone } from './caller.ts';
import type { DockerImages } from './docker-client.ts';
import { progressLines } from './json-lines.ts';

const PLATFORM_INSPECT_SINCE = '1.49';

export function imageCalls(caller: DaemonCaller): DockerImages {
  return { ...nameCalls(caller), ...makingCalls(caller) };
}

type NameCalls = Pick<DockerImages, 'inspectImage' | 'listImages' | 'tagImage' | 'removeImage'>;

function nameCalls(caller: DaemonCaller): NameCalls {
  return {
    inspectImage: async (reference, { platform }, signal) => {
      const isAsked =
        platform !== undefined && compareVersions(await caller.version(signal), PLATFORM_INSPECT_SINCE) >= 0;
      const query = { platform: isAsked ? platformJson(platform) : undefined };
      const call = { method: 'GET', path: `/images/${reference}/json`, query } as const;
      return unlessGone(caller.json(call, imageInfoSchema, signal), undefined);
    },
    listImages: ({ filters }, signal) =>
      caller.json(
        { method: 'GET', path: '/images/json', query: { filters: JSON.stringify(filters) } },
        z.array(imageSummarySchema),
        signal,
      ),
    tagImage: async (reference, { repository, tag }, signal) => {
      await caller.status(
        { method: 'POST', path: `/images/${reference}/tag`, query: { repo: repository, tag } },
        signal,
      );
    },
    removeImage: async (reference, signal) => {
      const call = { method: 'DELETE', path: `/images/${reference}`, query: { force: false }, isSlow: true } as const;
      return (await unlessGone(caller.status(call, signal), 404)) !== 404;
    },
  };
}

type MakingCalls = Pick<DockerImages, 'pullImage' | 'loadImage' | 'importImage' | 'buildImage'>;

function makingCalls(caller: DaemonCaller): MakingCalls {
  return {
    pullImage: async ({ repository, tag, platform, registryAuth }, onProgress, signal) => {
      const headers: Record<string, string> = registryAuth === undefined ? {} : { 'X-Registry-Auth': registryAuth };
      const query = { fromImage: repository, tag, platform };
      const call = { method: 'POST', path: '/images/create', query, headers, isSlow: true } as const;
      for await (const line of progressLines(await caller.open(call, signal))) onProgress(line);
    },
    loadImage: async (archive, signal) => {
      const call = {
        method: 'POST',
        path: '/images/load',
        query: { quiet: true },
        body: archive,
        isSlow: true,
      } as const;
      const names: string[] = [];
      for await (const { stream } of progressLines(await caller.open(call, signal))) {
        const name = /^Loaded image(?: ID)?: (.+)$/m.exec(stream)?.[1];
        if (name !== undefined) names.push(name.trim());
      }
      return names;
    },
    importImage: async (root, { repository, tag, changes }, signal) => {
      const query = { fromSrc: '-', repo: repository, tag };
      const lines = changes.map((change) => `&changes=${encodeURIComponent(change)}`).join('');
      const path = `/images/create?${new URLSearchParams(query).toString()}${lines}`;
      let id = '';
      for await (const { status } of progressLines(
        await caller.open({ method: 'POST', path, body: root, isSlow: true }, signal),
      )) {
        id = status;
      }
      return id;
    },
    buildImage: async (context, { tag, buildArguments, pull }, onOutput, signal) => {
      const query = {
        t: tag,
        buildargs: JSON.stringify(buildArguments ?? {}),
        pull,
        rm: true,
        forcerm: true,
        version: 1,
      };
      const call = { method: 'POST', path: '/build', query, body: context, isSlow: true } as const;
      for await (const { stream } of progressLines(await caller.open(call, signal))) {
        if (stream !== '') onOutput(stream);
      }
      const built = await caller.json({ method: 'GET', path: `/images/${tag}/json` }, imageInfoSchema, signal);
      if (built.Id === '') throw new DaemonError('protocol', `the daemon built no image ${tag}`);
      return built.Id;
    },
  };
}

/** `linux/arm/v7` as the daemon's OCI platform. */
function platformJson(platform: string): string {
  const [os, architecture, variant] = platform.split('/');
  return JSON.stringify({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}
