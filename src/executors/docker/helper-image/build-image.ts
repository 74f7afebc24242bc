import { Readable } from 'node:stream';
import { AbortReason } from '../../../lib/abort.ts';
import { CommandError, DaemonError, errorMessage } from '../../../lib/errors.ts';
import { isFolder } from '../../../platform/file-reading.ts';
import { randomHex } from '../../../platform/random.ts';
import { startCommand } from '../../../platform/run-command.ts';
import type { DockerClient } from '../api/docker-client.ts';
import { buildContext, type ImageKind } from './build-context.ts';

export interface BuildImageOptions {
  readonly client: DockerClient;
  readonly kind: ImageKind;
  readonly tag: { readonly repository: string; readonly tag: string };
  /** Image or folder of a Debian root. */
  readonly base: string;
  /** Program and leading arguments that start this program. */
  readonly selfCommand: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onOutput: (text: string) => void;
}

export const DEFAULT_BASE = 'debian:bookworm-slim';

/** Label of the stage whose result is only copied from. */
const STAGE_LABEL = 'millrace.image-stage=collected';
const BUSY_REMOVALS = 3;

/**
 * Builds an image around this program with the daemon's own builder (spec docker.md §6). A base that is a folder is
 * imported first. Nothing but the image stays behind.
 * @returns its id and size in bytes.
 * @throws CommandError with what can be done; the signal's reason.
 */
export async function buildOwnImage(
  options: BuildImageOptions,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly sizeBytes: number }> {
  const { client, kind, tag, selfCommand, onOutput } = options;
  const base = await baseImage(options, signal);
  const name = `${tag.repository}:${tag.tag}`;
  try {
    const context = await buildContext(kind, selfCommand);
    await client.buildImage(context, { tag: name, buildArguments: { BASE: base.name } }, onOutput, signal);
    const built = await client.inspectImage(name, {}, signal);
    if (built === undefined) throw new DaemonError('failed', `image ${name} is not there after its build`);
    return { id: built.Id, sizeBytes: built.Size };
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    throw new CommandError(`cannot build image ${name} from ${base.name}: ${errorMessage(error)}`, {
      cause: error,
      hint: 'Name a Debian root that the daemon has, or a folder, with --base; git, git-lfs, bash and ca-certificates are installed in it where they are missing.',
    });
  } finally {
    await removeStages(client, base.isOurs ? [base.name] : [], signal);
  }
}

async function baseImage(
  { client, base, environment }: BuildImageOptions,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly isOurs: boolean }> {
  if (!(await isFolder(base))) return { name: base, isOurs: false };
  const tag = randomHex(8);
  const command = { file: 'tar', args: ['-C', base, '--one-file-system', '-c', '.'], cwd: '/', env: environment };
  const packing = startCommand(command, signal);
  packing.stdin.end();
  const target = { repository: 'millrace-base', tag, changes: [] };
  await client.importImage(Readable.from(packing.stdout, { objectMode: false }), target, signal);
  const { exitCode, stderr } = await packing.ended;
  if (exitCode !== 0) throw new CommandError(`cannot pack ${base}: ${stderr.trim()}`);
  return { name: `millrace-base:${tag}`, isOurs: true };
}

/** The first stage holds a whole Debian and our program once more: it would stay as an image without a name. */
async function removeStages(client: DockerClient, names: readonly string[], signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  for (let tries = 0; tries < BUSY_REMOVALS; tries += 1) {
    const stages = await client.listImages({ filters: { label: [STAGE_LABEL], dangling: ['true'] } }, signal);
    const all = [...stages.map(({ Id }) => Id), ...names];
    const results = await Promise.allSettled(all.map((name) => client.removeImage(name, signal)));
    if (results.every(({ status }) => status === 'fulfilled')) return;
  }
}
