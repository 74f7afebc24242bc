import * as z from 'zod';
import { diskUsageSchema, networkSchema, volumeListSchema, volumeSchema } from './answers.ts';
import { type DaemonCaller, unlessGone } from './caller.ts';
import type { DockerResources } from './docker-client.ts';

export function resourceCalls(caller: DaemonCaller): DockerResources {
  return { ...networkCalls(caller), ...volumeCalls(caller) };
}

type NetworkCalls = Pick<
  DockerResources,
  'createNetwork' | 'inspectNetwork' | 'listNetworks' | 'disconnectNetwork' | 'removeNetwork'
>;

function networkCalls(caller: DaemonCaller): NetworkCalls {
  return {
    createNetwork: async (config, signal) => {
      const json = { CheckDuplicate: true, ...config };
      const call = { method: 'POST', path: '/networks/create', json } as const;
      return (await caller.json(call, z.object({ Id: z.string() }), signal)).Id;
    },
    inspectNetwork: (id, signal) =>
      unlessGone(caller.json({ method: 'GET', path: `/networks/${id}` }, networkSchema, signal), undefined),
    listNetworks: ({ filters }, signal) =>
      caller.json(
        { method: 'GET', path: '/networks', query: { filters: JSON.stringify(filters) } },
        z.array(networkSchema),
        signal,
      ),
    disconnectNetwork: async (id, containerId, signal) => {
      const json = { Container: containerId, Force: true };
      await caller.status({ method: 'POST', path: `/networks/${id}/disconnect`, json }, signal);
    },
    removeNetwork: async (id, signal) => {
      const call = { method: 'DELETE', path: `/networks/${id}` } as const;
      return (await unlessGone(caller.status(call, signal), 404)) !== 404;
    },
  };
}

type VolumeCalls = Pick<
  DockerResources,
  'createVolume' | 'inspectVolume' | 'listVolumes' | 'removeVolume' | 'diskUsage'
>;

function volumeCalls(caller: DaemonCaller): VolumeCalls {
  return {
    createVolume: (config, signal) =>
      caller.json({ method: 'POST', path: '/volumes/create', json: config }, volumeSchema, signal),
    inspectVolume: (name, signal) =>
      unlessGone(caller.json({ method: 'GET', path: `/volumes/${name}` }, volumeSchema, signal), undefined),
    listVolumes: async ({ filters }, signal) => {
      const query = { filters: JSON.stringify(filters) };
      return (await caller.json({ method: 'GET', path: '/volumes', query }, volumeListSchema, signal)).Volumes;
    },
    removeVolume: async (name, { force }, signal) => {
      const call = { method: 'DELETE', path: `/volumes/${name}`, query: { force } } as const;
      return (await unlessGone(caller.status(call, signal), 404)) !== 404;
    },
    diskUsage: (signal) => caller.json({ method: 'GET', path: '/system/df', isSlow: true }, diskUsageSchema, signal),
  };
}
