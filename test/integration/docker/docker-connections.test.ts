import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DockerClient } from '../../../src/executors/docker/api/docker-client.ts';
import { createTestAuthority } from '../../support/certificates.ts';
import { testDockerClient } from '../../support/docker-client.ts';
import { dockerHost } from '../../support/docker-daemon.ts';
import { freePort } from '../../support/docker-registry.ts';
import { needs } from '../../support/needs.ts';

const never = new AbortController().signal;
const hasDocker = needs('docker');

/** A plain call, a call with a body in both directions, and a stream that ends its input before its output. */
async function expectWorking(client: DockerClient): Promise<void> {
  expect((await client.info(never)).OSType).toBe('linux');
  const { Id } = await client.createContainer({ Image: 'busybox:test', Cmd: ['sleep', '100'] }, {}, never);
  try {
    await client.startContainer(Id, never);
    const config = { Cmd: ['sh', '-c', 'cat; echo end'], AttachStdin: true, AttachStdout: true };
    const stream = await client.startExec(await client.createExec(Id, config, never), { tty: false }, never);
    await stream.write('x'.repeat(100_000));
    stream.endInput();
    let output = '';
    for await (const { bytes } of stream) output += Buffer.from(bytes).toString();
    expect(output).toBe(`${'x'.repeat(100_000)}end\n`);
  } finally {
    await client.removeContainer(Id, { volumes: true }, never);
    client.close();
  }
}

describe.skipIf(!hasDocker || !needs('openssl'))('over TCP with TLS', () => {
  let folder = '';
  let server: Server;
  let url = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'docker-tls-'));
    const authority = createTestAuthority(folder, 'ca');
    const [daemon, user] = [authority.issue('daemon'), authority.issue('user', 'DNS:user')];
    mkdirSync(join(folder, 'client'));
    copyFileSync(authority.certFile, join(folder, 'client', 'ca.pem'));
    copyFileSync(user.certFile, join(folder, 'client', 'cert.pem'));
    copyFileSync(user.keyFile, join(folder, 'client', 'key.pem'));
    const tls = {
      ca: readFileSync(authority.certFile),
      cert: readFileSync(daemon.certFile),
      key: readFileSync(daemon.keyFile),
      requestCert: true,
      rejectUnauthorized: true,
      allowHalfOpen: true,
    };
    server = createServer(tls, forwardToDaemon);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('works with the authority and certificate of a folder', async () => {
    await expectWorking(await testDockerClient(url, { tlsCertPath: join(folder, 'client') }));
  });

  it('takes all three settings from the environment', async () => {
    const environment = { DOCKER_HOST: url, DOCKER_CERT_PATH: join(folder, 'client'), DOCKER_TLS_VERIFY: '1' };
    const client = await testDockerClient('', { environment });
    expect((await client.info(never)).OSType).toBe('linux');
    client.close();
  });

  it('does not talk to a daemon of another authority', async () => {
    const other = mkdtempSync(join(folder, 'other-'));
    createTestAuthority(other, 'ca');
    for (const name of ['cert.pem', 'key.pem']) copyFileSync(join(folder, 'client', name), join(other, name));
    copyFileSync(join(other, 'ca.crt'), join(other, 'ca.pem'));
    const client = await testDockerClient(url, { tlsCertPath: other });
    await expect(client.info(never)).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('says which folder lacks certificates', async () => {
    await expect(testDockerClient(url, { tlsCertPath: join(folder, 'none') })).rejects.toThrow(join(folder, 'none'));
  });
});

describe.skipIf(!hasDocker || !needs('sshd'))('over ssh', () => {
  let folder = '';
  let daemon: ReturnType<typeof spawn> | undefined;
  let port = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'docker-ssh-'));
    port = await freePort();
    for (const name of ['host', 'user']) {
      spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
    }
    copyFileSync(join(folder, 'user.pub'), join(folder, 'authorized'));
    const server = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'authorized')}`,
      `PidFile ${join(folder, 'pid')}`,
      'StrictModes no',
      'UsePAM no',
      `SetEnv DOCKER_HOST=${dockerHost()}`,
    ];
    writeFileSync(join(folder, 'sshd_config'), `${server.join('\n')}\n`);
    const user = ['Host *', `IdentityFile ${join(folder, 'user')}`, 'StrictHostKeyChecking no', 'LogLevel ERROR'];
    writeFileSync(join(folder, 'config'), `${user.join('\n')}\nUserKnownHostsFile ${join(folder, 'known')}\n`);
    writeFileSync(join(folder, 'ssh'), `#!/bin/sh\nexec "$REAL_SSH" -F ${join(folder, 'config')} "$@"\n`);
    chmodSync(join(folder, 'ssh'), 0o755);
    mkdirSync('/run/sshd', { recursive: true });
    const program = spawnSync('sh', ['-c', 'command -v sshd'], { encoding: 'utf8' }).stdout.trim();
    daemon = spawn(program, ['-D', '-f', join(folder, 'sshd_config')], { stdio: 'ignore' });
    while (!(await listens(port))) await sleep(50);
  });
  afterAll(() => {
    daemon?.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  async function clientOf(address: string): Promise<DockerClient> {
    const real = spawnSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).stdout.trim();
    const environment = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}`, REAL_SSH: real };
    return await testDockerClient(address, { environment });
  }

  it('works through docker system dial-stdio on the other side', async () => {
    await expectWorking(await clientOf(`ssh://${userInfo().username}@127.0.0.1:${port}`));
  });

  it('tells what ssh said when it cannot connect', async () => {
    const client = await clientOf(`ssh://nobody-of-this-name@127.0.0.1:${port}`);
    await expect(client.info(never)).rejects.toThrow(/Permission denied/);
  });
});

async function listens(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function forwardToDaemon(secure: TLSSocket): void {
  const socket = connect({ path: dockerHost().replace('unix://', ''), allowHalfOpen: true });
  for (const side of [secure, socket]) side.on('error', () => {});
  secure.pipe(socket);
  socket.pipe(secure);
}
