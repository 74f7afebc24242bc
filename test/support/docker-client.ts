import { connectDocker } from '../../src/executors/docker/api/connect.ts';
import type { DockerClient } from '../../src/executors/docker/api/docker-client.ts';
import { dockerHost } from './docker-daemon.ts';

/** A client of the daemon of the tests, or of another address. */
export async function testDockerClient(
  host: string = dockerHost(),
  settings: {
    readonly tlsCertPath?: string;
    readonly environment?: Readonly<Record<string, string | undefined>>;
  } = {},
): Promise<DockerClient> {
  const { tlsCertPath = '', environment = process.env } = settings;
  return await connectDocker({
    settings: { host, tlsCertPath, tlsVerify: tlsCertPath !== '' },
    environment,
    platform: process.platform,
    workingDirectory: process.cwd(),
  });
}
