import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { errorMessage, PrepareError } from '../../../lib/errors.ts';
import { openFileToRead } from '../../../platform/file-reading.ts';
import type { ExecutorLog } from '../../port.ts';
import type { DockerClient } from '../api/docker-client.ts';
import type { ImageRequest, JobImages, ResolvedImage } from '../images/job-images.ts';
import { buildOwnImage, DEFAULT_BASE } from './build-image.ts';
import { defaultHelperImage, imageArchitecture, prebuiltNames } from './default-image.ts';

/** What the manager knows for helper images; one for the process, so that an image is made once. */
export interface HelperImageStore {
  /**
   * The helper image of a job (spec docker.md §6): `helper_image`, else the default one as it is at the daemon, from
   * an archive of the installation, or built now.
   * @throws PrepareError; what pulling an image throws; the signal's reason.
   */
  resolve(request: HelperImageRequest, signal: AbortSignal): Promise<ResolvedImage>;
}

export interface HelperImageRequest {
  readonly client: DockerClient;
  readonly images: JobImages;
  readonly log: ExecutorLog;
  /** `helper_image` and `helper_image_flavor`, expanded. */
  readonly override: string;
  readonly flavor: string;
}

export interface HelperImageStoreOptions {
  readonly version: string;
  readonly selfCommand: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** `process.arch` */
  readonly architecture: string;
  readonly debug: (text: string, error: unknown) => void;
}

export function createHelperImageStore(options: HelperImageStoreOptions): HelperImageStore {
  const making = new Map<string, Promise<void>>();
  return {
    resolve: async (request, signal) => {
      const { client, images, log, override, flavor } = request;
      const { Architecture } = await client.info(signal);
      const name = defaultHelperImage({
        architecture: Architecture === '' ? options.architecture : Architecture,
        flavor,
        version: options.version,
      });
      const reference = `${name.repository}:${name.tag}`;
      if (override !== '') {
        log.print(`Using helper image:  ${override}  (overridden, default would be  ${reference} )`);
        return await images.resolve(requestFor(override), signal);
      }
      const present = await client.inspectImage(reference, {}, signal);
      if (present === undefined) {
        log.print(`Using helper image:  ${reference}`);
        const key = `${client.address} ${reference}`;
        const work = making.get(key) ?? provide(options, client, name, Architecture, log, signal);
        making.set(key, work);
        await work.finally(() => making.delete(key));
      }
      const info = present ?? (await client.inspectImage(reference, {}, signal));
      if (info === undefined)
        throw new PrepareError(`the helper image ${reference} is gone again`, { retryable: true });
      return { name: reference, id: info.Id, reference: info.Id, platform: undefined, info };
    },
  };
}

function requestFor(name: string): ImageRequest {
  return { name, pullPolicies: [], platform: '' };
}

type ImageName = ReturnType<typeof defaultHelperImage>;

async function provide(
  options: HelperImageStoreOptions,
  client: DockerClient,
  name: ImageName,
  architecture: string,
  log: ExecutorLog,
  signal: AbortSignal,
): Promise<void> {
  if (await loadPrebuilt(options, client, name, signal)) return;
  const own = imageArchitecture(options.architecture);
  if (imageArchitecture(architecture) !== own) {
    throw new PrepareError(
      `there is no helper image for ${architecture}, and this program (${own}) cannot be put into one`,
      { hint: 'Set helper_image, or load an image of that name into the daemon.' },
    );
  }
  log.print('Building the helper image from this program, once ...');
  try {
    const { environment, selfCommand } = options;
    const parts = { client, kind: 'helper', tag: name, base: DEFAULT_BASE, selfCommand, environment } as const;
    await buildOwnImage({ ...parts, onOutput: () => {} }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new PrepareError(errorMessage(error), {
      cause: error,
      hint: 'Build it with `millrace docker-build-image helper --base …`, or set helper_image.',
    });
  }
}

async function loadPrebuilt(
  options: HelperImageStoreOptions,
  client: DockerClient,
  name: ImageName,
  signal: AbortSignal,
): Promise<boolean> {
  const folder = dirname(options.selfCommand.at(-1) ?? '');
  const folders = [
    join(folder, 'helper-images'),
    join(folder, '..', 'helper-images'),
    join(folder, '..', 'lib', 'millrace', 'helper-images'),
  ];
  for (const path of folders.flatMap((place) => prebuiltNames(name.tag).map((file) => join(place, file)))) {
    try {
      const file = await openFileToRead(path);
      const [loaded] = await client.loadImage(unpacked(path, file.read()), signal);
      if (loaded === undefined) continue;
      if (loaded !== `${name.repository}:${name.tag}`) await client.tagImage(loaded, name, signal);
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      options.debug(`Helper image archive ${path} is not used`, error);
    }
  }
  return false;
}

function unpacked(path: string, source: Readable): Readable {
  if (!path.endsWith('.zst')) return source;
  const decompress = createZstdDecompress();
  source.once('error', (error) => decompress.destroy(error));
  return source.pipe(decompress);
}
