import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AbortReason } from '../../lib/abort.ts';
import { startCommand } from '../../platform/run-command.ts';
import { type Git, gitCommand, ownGit, withGit } from '../../platform/run-git.ts';
import { findForbiddenWant } from './allowed-wants.ts';
import { parseUploadPackRequest } from './upload-pack-request.ts';

/** Largest request, unpacked: ids of half a million commits that a client has. */
const longestRequestBytes = 32 * 1024 * 1024;

const uncached = { 'Cache-Control': 'no-cache, max-age=0, must-revalidate', Expires: 'Fri, 01 Jan 1980 00:00:00 GMT' };

/** Answers `GET …/info/refs?service=git-upload-pack` in the protocol version that the client asks for. */
export async function advertiseRefs(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const git = servingGit(directory, env, request);
  response.writeHead(200, { ...uncached, 'Content-Type': 'application/x-git-upload-pack-advertisement' });
  if (git.env['GIT_PROTOCOL'] !== 'version=2') response.write('001e# service=git-upload-pack\n0000');
  await runUploadPack(git, ['--stateless-rpc', '--advertise-refs'], '', response);
}

/** Answers `POST …/git-upload-pack`, once every object asked for is known to lie in the snapshot's history. */
export async function uploadPack(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const git = servingGit(directory, env, request);
  const body = await readBody(request, longestRequestBytes);
  const refusal = await refusalOf(git, body, response);
  response.writeHead(200, { ...uncached, 'Content-Type': 'application/x-git-upload-pack-result' });
  if (refusal !== undefined) {
    response.end(errorPacket(refusal));
    return;
  }
  await runUploadPack(git, ['--stateless-rpc'], body, response);
}

/**
 * Collects a request body, unpacked where the client compressed it.
 * @throws RangeError past `longestBytes`.
 */
export async function readBody(request: IncomingMessage, longestBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > longestBytes) throw new RangeError('the request is too large');
      chunks.push(chunk);
    }
  };
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (/^(x-)?gzip$/i.test(encoding)) await pipeline(request, createGunzip(), collect);
  else await pipeline(request, collect);
  return Buffer.concat(chunks);
}

function servingGit(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  request: IncomingMessage,
): Git {
  const version = /(?:^|:)(version=[012])(?:$|:)/.exec(String(request.headers['git-protocol'] ?? ''))?.[1];
  const git = ownGit(directory, env);
  return withGit(git, { GIT_PROTOCOL: version ?? 'version=0' });
}

async function refusalOf(git: Git, body: Buffer, response: ServerResponse): Promise<string | undefined> {
  const controller = new AbortController();
  const onClose = (): void => controller.abort(new AbortReason('finished', 'the client went away'));
  response.once('close', onClose);
  try {
    const { wants } = parseUploadPackRequest(body);
    const forbidden = await findForbiddenWant(git, wants, controller.signal);
    return forbidden === undefined ? undefined : `upload-pack: not our ref ${forbidden}`;
  } catch (error) {
    if (controller.signal.aborted || !(error instanceof Error)) throw error;
    return `upload-pack: ${error.message}`;
  } finally {
    response.off('close', onClose);
  }
}

async function runUploadPack(
  git: Git,
  args: readonly string[],
  input: string | Buffer,
  response: ServerResponse,
): Promise<void> {
  const controller = new AbortController();
  const onClose = (): void => controller.abort(new AbortReason('finished', 'the client went away'));
  response.once('close', onClose);
  const directory = git.env['GIT_DIR'] ?? git.cwd;
  const running = startCommand(gitCommand(git, ['upload-pack', ...args, directory]), controller.signal);
  running.stdin.end(input);
  try {
    await pipeline(running.stdout, response, { end: false });
    await running.ended;
    response.off('close', onClose);
    // What went wrong, if anything, git has said in the protocol itself.
    response.end();
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  }
}

function errorPacket(message: string): string {
  const text = `ERR ${message}\n`;
  return `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
}
