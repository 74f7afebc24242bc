import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DockerClient } from '../../../src/executors/docker/api/docker-client.ts';
import { labelPrefix, ownerLabels } from '../../../src/executors/docker/container/labels.ts';
import { type DiskCareSettings, lookAtDisk } from '../../../src/executors/docker/disk-care/disk-look.ts';
import { openUsageRecord, type UsageRecord } from '../../../src/executors/docker/disk-care/usage-record.ts';
import { testDockerClient } from '../../support/docker-client.ts';
import { docker } from '../../support/docker-daemon.ts';
import { needs } from '../../support/needs.ts';

const never = new AbortController().signal;
const instance = `disk-care-${process.pid}`;

describe.skipIf(!needs('docker'))('disk care', () => {
  let client: DockerClient;
  let folder = '';
  let now = 1000;
  let record: UsageRecord;
  const made = new Set<string>();

  beforeAll(async () => {
    client = await testDockerClient();
    folder = mkdtempSync(join(tmpdir(), 'disk-care-'));
  });
  beforeEach(() => {
    rmSync(join(folder, 'usage.json'), { force: true });
    record = openUsageRecord(join(folder, 'usage.json'), () => now, fail);
  });
  afterAll(async () => {
    for (const name of made) await client.removeImage(name, never);
    for (const { Name } of await client.listVolumes(ours, never))
      await client.removeVolume(Name, { force: true }, never);
    client.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const ours = { filters: { label: [`${ownerLabels.instance}=${instance}`] } };

  /** An image with content of its own; noted as pulled unless it is the host's. */
  async function image(name: string, megabytes: number, options: { pulled: boolean }): Promise<string> {
    const root = mkdtempSync(join(folder, 'root-'));
    writeFileSync(join(root, 'content'), Buffer.alloc(megabytes * 1e6, name));
    writeFileSync(join(root, 'name'), name);
    const tar = spawnSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 1e9 });
    const target = { repository: `millrace-disk-${process.pid}/${name}`, tag: '1', changes: [] };
    const id = await client.importImage(Readable.from([tar.stdout]), target, never);
    const full = `${target.repository}:1`;
    made.add(full);
    if (options.pulled) record.imageTracker(client.address).pulled(full, id);
    return full;
  }

  async function look(settings: Partial<DiskCareSettings>, dryRun = false): Promise<readonly string[]> {
    const all = { max_size: '', min_free: '', ...settings };
    const parts = { client, record, instance, settings: all, nowMs: now, restMs: 0, dryRun };
    const { removed, problems } = await lookAtDisk(parts, never);
    expect(problems).toEqual([]);
    return removed.flatMap(({ removeBy }) => removeBy);
  }

  const isThere = async (name: string): Promise<boolean> => (await client.inspectImage(name, {}, never)) !== undefined;

  it('removes the least recently used of what it pulled, until the budget is kept', async () => {
    now = 1000;
    const old = await image('old', 3, { pulled: true });
    now = 2000;
    const used = await image('used', 3, { pulled: true });
    const host = await image('host', 3, { pulled: false });
    now = 3000;
    const id = (await client.inspectImage(old, {}, never))?.Id ?? '';
    record.imageTracker(client.address).used({ name: old, id });
    now = 4000;
    expect(await look({ max_size: '20m' })).toEqual([]);
    expect(await look({ max_size: '4m' }, true)).toEqual([used]);
    expect(await isThere(used)).toBe(true);
    expect(await look({ max_size: '4m' })).toEqual([used]);
    expect([await isThere(used), await isThere(old), await isThere(host)]).toEqual([false, true, true]);
    expect(await look({ max_size: '1b' })).toEqual([old]);
    expect(await isThere(host)).toBe(true);
  });

  it('keeps what has another name or a container, and what was used just now', async () => {
    now = 1000;
    const named = await image('named', 2, { pulled: true });
    await client.tagImage(named, { repository: `millrace-disk-${process.pid}/mine`, tag: '1' }, never);
    made.add(`millrace-disk-${process.pid}/mine:1`);
    const busy = await image('busy', 2, { pulled: true });
    const container = docker('create', busy, 'none').trim();
    now = 2000;
    expect(await look({ max_size: '1b' })).toEqual([]);
    await client.removeContainer(container, { volumes: true }, never);
    const parts = { client, record, instance, settings: { max_size: '1b', min_free: '' }, dryRun: false };
    expect((await lookAtDisk({ ...parts, nowMs: now }, never)).removed).toEqual([]);
    expect(await look({ max_size: '1b' })).toEqual([busy]);
  });

  it('forgets an image that is gone: one that the host loads later stays', async () => {
    now = 1000;
    const name = await image('again', 2, { pulled: true });
    await client.removeImage(name, never);
    now = 2000;
    await look({ max_size: '1b' });
    await image('again', 2, { pulled: false });
    expect(await look({ max_size: '1b' })).toEqual([]);
    expect(await isThere(name)).toBe(true);
  });

  it('removes cache volumes of its own that no container uses', async () => {
    now = Date.now() + 60_000;
    const volume = async (name: string, labels: Readonly<Record<string, string>>): Promise<string> => {
      const Name = `millrace-disk-${process.pid}-${name}`;
      await client.createVolume({ Name, Labels: labels }, never);
      docker('run', '--rm', '-v', `${Name}:/v`, 'busybox:test', 'dd', 'if=/dev/zero', 'of=/v/x', 'bs=1M', 'count=2');
      return Name;
    };
    const cache = { [ownerLabels.instance]: instance, [`${labelPrefix}.type`]: 'cache' };
    const free = await volume('free', cache);
    const busy = await volume('busy', cache);
    const foreign = await volume('foreign', { ...cache, [ownerLabels.instance]: 'another' });
    const container = docker('create', '-v', `${busy}:/v`, 'busybox:test').trim();
    expect(await look({ max_size: '1b' })).toEqual([free]);
    await client.removeContainer(container, { volumes: false }, never);
    expect(await look({ max_size: '1b' })).toEqual([busy]);
    expect(await client.inspectVolume(foreign, never)).toBeDefined();
    await client.removeVolume(foreign, { force: true }, never);
  });

  it('keeps a share of the disk free', async () => {
    now = 1000;
    const name = await image('share', 2, { pulled: true });
    now = 2000;
    expect(await look({ min_free: '0.001%' })).toEqual([]);
    expect(await look({ min_free: '99.9%' })).toEqual([name]);
  });
});

function fail(error: unknown): never {
  throw error;
}
