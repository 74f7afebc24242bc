import { connectDocker } from '../executors/docker/api/connect.ts';
import { buildOwnImage } from '../executors/docker/helper-image/build-image.ts';
import { defaultHelperImage, imageArchitecture } from '../executors/docker/helper-image/default-image.ts';
import { pullTag, requireImageReference, splitTag } from '../executors/docker/images/image-reference.ts';
import { CommandError } from '../lib/errors.ts';
import { selfCommand } from '../platform/self-command.ts';
import type { CommandEnvironment } from './command-environment.ts';
import { product } from './product.ts';

export interface DockerBuildImageOptions {
  readonly base: string;
  readonly tag?: string;
  readonly flavor?: string;
  readonly host?: string;
  readonly quiet?: boolean;
}

const limitMs = 30 * 60_000;

/**
 * `docker-build-image`: the helper or manager image, made of this program by the daemon's own builder.
 * @throws CommandError, ConfigError, DaemonError
 */
export async function runDockerBuildImage(
  kind: string,
  options: DockerBuildImageOptions,
  environment: CommandEnvironment,
): Promise<void> {
  if (kind !== 'helper' && kind !== 'manager') {
    throw new CommandError(`there is no image ${JSON.stringify(kind)}`, { hint: 'The images are helper and manager.' });
  }
  const command = selfCommand();
  if (command.at(-1)?.endsWith('.ts') === true) {
    throw new CommandError('an image is made of the built program', {
      hint: 'Run `npm run build` and use its result.',
    });
  }
  const client = await connectDocker({
    settings: { host: options.host ?? '', tlsCertPath: '', tlsVerify: false },
    environment: environment.env,
    platform: process.platform,
    workingDirectory: environment.workingDirectory,
  });
  try {
    const signal = AbortSignal.timeout(limitMs);
    const { Architecture } = await client.info(signal);
    if (imageArchitecture(Architecture) !== imageArchitecture(process.arch)) {
      throw new CommandError(`the daemon runs on ${Architecture}, this program on ${process.arch}`);
    }
    const tag = tagOf(kind, options, Architecture);
    const onOutput = options.quiet === true ? () => {} : environment.stderr;
    const { id, sizeBytes } = await buildOwnImage(
      { client, kind, tag, base: options.base, selfCommand: command, environment: environment.env, onOutput },
      signal,
    );
    environment.stdout(`${tag.repository}:${tag.tag} ${id} ${(sizeBytes / 1e6).toFixed(0)} MB\n`);
  } finally {
    client.close();
  }
}

function tagOf(kind: 'helper' | 'manager', options: DockerBuildImageOptions, architecture: string) {
  if (options.tag !== undefined) {
    const reference = requireImageReference(options.tag);
    return { repository: splitTag(options.tag).repository, tag: pullTag(reference) };
  }
  const helper = defaultHelperImage({ architecture, flavor: options.flavor ?? '', version: product.version });
  return kind === 'helper' ? helper : { repository: product.name, tag: helper.tag };
}
