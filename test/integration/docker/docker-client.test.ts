import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DockerClient, OutputFrames } from '../../../src/executors/docker/api/docker-client.ts';
import type { ContainerConfig } from '../../../src/executors/docker/api/requests.ts';
import { AbortReason } from '../../../src/lib/abort.ts';
import { DaemonError } from '../../../src/lib/errors.ts';
import { testDockerClient } from '../../support/docker-client.ts';
import { needs } from '../../support/needs.ts';

const never = new AbortController().signal;

describe.skipIf(!needs('docker'))('client of a real daemon', () => {
  let client: DockerClient;
  const made: string[] = [];

  beforeAll(async () => {
    client = await testDockerClient();
  });
  afterEach(async () => {
    for (const id of made.splice(0)) await client.removeContainer(id, { volumes: true }, never);
  });
  afterAll(() => client.close());

  async function create(config: Partial<ContainerConfig>): Promise<string> {
    const { Id } = await client.createContainer({ Image: 'busybox:test', ...config }, {}, never);
    made.push(Id);
    return Id;
  }

  async function running(): Promise<string> {
    const id = await create({ Cmd: ['sleep', '1000'] });
    await client.startContainer(id, never);
    return id;
  }

  it('agrees on a version and knows the daemon', async () => {
    expect(await client.apiVersion(never)).toMatch(/^1\.\d+$/);
    expect(await client.supports('1.40', never)).toBe(true);
    expect(await client.supports('1.999', never)).toBe(false);
    expect((await client.info(never)).OSType).toBe('linux');
    expect((await client.version(never)).Version).not.toBe('');
  });

  it('attaches, starts, writes standard input and gets both outputs and the exit code', async () => {
    const script = 'echo out; echo err >&2; head -c 200000 /dev/zero | tr "\\0" x; cat';
    const id = await create({ Cmd: ['sh', '-c', script], OpenStdin: true, StdinOnce: true, AttachStdin: true });
    const stream = await client.attachContainer(id, { stdin: true, stdout: true, stderr: true }, never);
    const accepted = Promise.withResolvers<void>();
    const exit = client.waitContainer(id, { condition: 'next-exit', accepted: accepted.resolve }, never);
    await accepted.promise;
    await client.startContainer(id, never);
    await stream.write('rest');
    stream.endInput();
    const { stdout, stderr } = await collect(stream);
    expect(stderr).toBe('err\n');
    expect(stdout).toBe(`out\n${'x'.repeat(200_000)}rest`);
    expect(await exit).toEqual({ exitCode: 0, error: '' });
    expect((await client.inspectContainer(id, never))?.State).toMatchObject({ Status: 'exited', ExitCode: 0 });
    const again = await collect(await client.containerLogs(id, { follow: false }, never));
    expect(again.stdout).toBe(stdout);
  });

  it('runs a program in a container, with its input, output and exit code', async () => {
    const id = await running();
    const exec = await client.createExec(
      id,
      { Cmd: ['sh', '-c', 'cat; exit 3'], AttachStdin: true, AttachStdout: true, AttachStderr: true },
      never,
    );
    const stream = await client.startExec(exec, { tty: false }, never);
    await stream.write('given');
    stream.endInput();
    expect((await collect(stream)).stdout).toBe('given');
    expect(await client.inspectExec(exec, never)).toMatchObject({ Running: false, ExitCode: 3 });
  });

  it('ends a stream with the signal, and with close', async () => {
    const id = await running();
    const stop = new AbortController();
    const aborted = collect(await client.containerLogs(id, { follow: true }, stop.signal));
    stop.abort(new AbortReason('canceled'));
    await expect(aborted).rejects.toMatchObject({ kind: 'canceled' });
    const logs = await client.containerLogs(id, { follow: true }, never);
    const closed = collect(logs);
    logs.close();
    expect(await closed).toEqual({ stdout: '', stderr: '' });
  });

  it('ends a call that waits with the signal', async () => {
    const id = await running();
    const stop = new AbortController();
    const accepted = (): void => stop.abort(new AbortReason('job_timeout'));
    const waiting = client.waitContainer(id, { condition: 'not-running', accepted }, stop.signal);
    await expect(waiting).rejects.toMatchObject({ kind: 'job_timeout' });
  });

  it('hears of all that happens after events has answered', async () => {
    const id = await create({ Cmd: ['true'] });
    const events = await client.events({ filters: { type: ['container'], container: [id] } }, never);
    await client.startContainer(id, never);
    const seen: string[] = [];
    for await (const { Action } of events) {
      seen.push(Action);
      if (Action === 'die') break;
    }
    expect(seen).toContain('start');
  });

  it('puts files into a stopped container and gets them', async () => {
    const id = await create({ Cmd: ['true'] });
    const source = await client.getArchive(id, '/etc/passwd', never);
    if (source === undefined) throw new Error('no /etc/passwd');
    await client.putArchive(id, '/tmp', Readable.from(source), never);
    const copy = await client.getArchive(id, '/tmp/passwd', never);
    if (copy === undefined) throw new Error('no copy');
    expect(await text(copy)).toContain('root:x:0:0');
    expect(await client.getArchive(id, '/nothing', never)).toBeUndefined();
  });

  it('says what is not there, and what the daemon refuses', async () => {
    const name = 'millrace-no-such-thing';
    expect(await client.inspectContainer(name, never)).toBeUndefined();
    expect(await client.inspectImage(name, {}, never)).toBeUndefined();
    expect(await client.inspectVolume(name, never)).toBeUndefined();
    expect(await client.inspectNetwork(name, never)).toBeUndefined();
    expect(await client.removeContainer(name, { volumes: true }, never)).toBe(false);
    expect(await client.removeVolume(name, { force: false }, never)).toBe(false);
    expect(await client.stopContainer(name, {}, never)).toBe(false);
    expect(await client.killContainer(name, {}, never)).toBe(false);
    const start: unknown = await client.startContainer(name, never).catch((error: unknown) => error);
    expect(start).toMatchObject({ kind: 'not_found', status: 404 });
    expect((start as DaemonError).message).toBe(`Error response from daemon: No such container: ${name}`);
    await expect(create({ Env: ['=bad'] })).rejects.toMatchObject({ kind: 'invalid', status: 400 });
  });

  it('kills only what runs', async () => {
    const id = await running();
    expect(await client.killContainer(id, { signal: 'KILL' }, never)).toBe(true);
    await client.waitContainer(id, { condition: 'not-running' }, never);
    expect(await client.killContainer(id, { signal: 'KILL' }, never)).toBe(false);
  });

  it('waits for a removal that another one has begun', async () => {
    const id = await running();
    const both = [1, 2].map(() => client.removeContainer(id, { volumes: true }, never));
    expect((await Promise.all(both)).length).toBe(2);
    expect(await client.inspectContainer(id, never)).toBeUndefined();
  });

  it('makes, lists and removes volumes and networks by label', async () => {
    const label = `millrace.test=${process.pid}`;
    const Labels = { 'millrace.test': String(process.pid) };
    const volume = await client.createVolume({ Name: `millrace-test-${process.pid}`, Labels }, never);
    const network = await client.createNetwork({ Name: `millrace-test-${process.pid}`, Labels }, never);
    expect((await client.listVolumes({ filters: { label: [label] } }, never)).map(({ Name }) => Name)).toEqual([
      volume.Name,
    ]);
    expect((await client.listNetworks({ filters: { label: [label] } }, never)).map(({ Id }) => Id)).toEqual([network]);
    expect(await client.removeNetwork(network, never)).toBe(true);
    expect(await client.removeVolume(volume.Name, { force: false }, never)).toBe(true);
  });
});

describe('client without a daemon', () => {
  it('says where it looked', async () => {
    const path = join(tmpdir(), 'millrace-no-docker.sock');
    rmSync(path, { force: true });
    const client = await testDockerClient(`unix://${path}`);
    const error: unknown = await client.info(never).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DaemonError);
    expect(error).toMatchObject({ kind: 'unreachable', retryable: true });
    expect((error as Error).message).toContain(`Cannot connect to the Docker daemon at unix://${path}`);
  });

  it('refuses a daemon that is too old', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nApi-Version: 1.24\r\nContent-Length: 2\r\n\r\nOK'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const client = await testDockerClient(`tcp://127.0.0.1:${address.port}`);
    await expect(client.info(never)).rejects.toThrow('API version 1.24 is not supported by this client');
    server.close();
  });
});

async function collect(frames: OutputFrames): Promise<{ stdout: string; stderr: string }> {
  const all = { stdout: '', stderr: '' };
  for await (const { stream, bytes } of frames) all[stream] += Buffer.from(bytes).toString('latin1');
  return all;
}
