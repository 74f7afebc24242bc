import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DockerClient } from '../../../src/executors/docker/api/docker-client.ts';
import type { ImageKind } from '../../../src/executors/docker/helper-image/build-context.ts';
import { buildOwnImage } from '../../../src/executors/docker/helper-image/build-image.ts';
import { testDockerClient } from '../../support/docker-client.ts';
import { docker } from '../../support/docker-daemon.ts';
import { needs } from '../../support/needs.ts';

const signal = AbortSignal.timeout(300_000);
const program = fileURLToPath(new URL('../../../dist/millrace', import.meta.url));
const repository = `millrace-own-${process.pid}`;

describe.skipIf(!needs('docker') || !needs('binary'))('images around this program', () => {
  let client: DockerClient;
  beforeAll(async () => {
    client = await testDockerClient();
  });
  afterAll(async () => {
    for (const tag of ['helper', 'manager']) await client.removeImage(`${repository}:${tag}`, signal);
    client.close();
  });

  async function build(kind: ImageKind, base: string): Promise<number> {
    const parts = { client, kind, base, tag: { repository, tag: kind }, selfCommand: [program] };
    return (await buildOwnImage({ ...parts, environment: process.env, onOutput: () => {} }, signal)).sizeBytes;
  }

  it('builds a small helper image that has what jobs need, and leaves nothing else', async () => {
    const before = docker('images', '-q', '-f', 'label=millrace.image-stage=collected', '-f', 'dangling=true');
    const sizeBytes = await build('helper', 'debian:test');
    expect(sizeBytes).toBeLessThan(190e6);
    expect(docker('images', '-q', '-f', 'label=millrace.image-stage=collected', '-f', 'dangling=true')).toBe(before);
    const script =
      'gitlab-runner-helper --version && millrace --version && bash --version && sh -c "git init -q /tmp/r && cd /tmp/r && git status -s" && ls /usr/lib/git-core/git-remote-https && test -s /etc/ssl/certs/ca-certificates.crt && stat -c %a /tmp && find /tmp -maxdepth 0 | xargs tar -cf /dev/null 2>&1 && echo all';
    expect(docker('run', '--rm', `${repository}:helper`, 'sh', '-c', script)).toMatch(/all$/m);
  }, 300_000);

  it('builds a manager image that runs', async () => {
    await build('manager', 'debian:test');
    expect(docker('run', '--rm', `${repository}:manager`, '--version')).toContain('millrace');
  }, 300_000);

  it('says what can be done where the base is not to be had', async () => {
    await expect(build('helper', '127.0.0.1:1/no/such:base')).rejects.toThrow(
      /cannot build image .* from 127\.0\.0\.1:1/,
    );
  }, 300_000);
});
