import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AbortReason } from '../../lib/abort.ts';
import { type Command, runCommand, startCommand } from '../../platform/run-command.ts';
import { type Git, gitCommand, ownGit, withGit } from '../../platform/run-git.ts';
import { findForbiddenWant, readTips } from './allowed-wants.ts';
import { longestKeptBytes, type RepositoryAnswers } from './repository-answers.ts';
import { parseUploadPackRequest } from './upload-pack-request.ts';

/** Largest request, unpacked: ids of half a million commits that a client has. */
const longestRequestBytes = 32 * 1024 * 1024;

const uncached = { 'Cache-Control': 'no-cache, max-age=0, must-revalidate', Expires: 'Fri, 01 Jan 1980 00:00:00 GMT' };

/** A repository as it is served. */
export interface Served {
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly answers: RepositoryAnswers;
}

/** Answers `GET …/info/refs?service=git-upload-pack` in the protocol version that the client asks for. */
export async function advertiseRefs(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const git = servingGit(served, protocolOf(request));
  response.writeHead(200, { ...uncached, 'Content-Type': 'application/x-git-upload-pack-advertisement' });
  if (git.env['GIT_PROTOCOL'] !== newestProtocol) response.write('001e# service=git-upload-pack\n0000');
  await runUploadPack(git, served, advertisement, '', response);
}

/** Answers `POST …/git-upload-pack`, once every object asked for is known to lie in the snapshot's history. */
export async function uploadPack(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const git = servingGit(served, protocolOf(request));
  const body = await readBody(request, longestRequestBytes);
  const refusal = await refusalOf(git, served, body, response);
  response.writeHead(200, { ...uncached, 'Content-Type': 'application/x-git-upload-pack-result' });
  if (refusal !== undefined) {
    response.end(errorPacket(refusal));
    return;
  }
  await runUploadPack(git, served, exchange, body, response);
}

/** Asks git what the first job will want to know, while that job is still on its way. Failures are for the job to see. */
export async function foresee(served: Served, signal: AbortSignal): Promise<void> {
  const git = servingGit(served, newestProtocol);
  const [{ stdout, exitCode }] = await Promise.all([
    runCommand(uploadPackCommand(git, advertisement), signal, ''),
    served.answers.tips(async () => await readTips(git, signal)),
  ]);
  if (exitCode === 0) served.answers.keep(requestKey(git, advertisement, ''), stdout);
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

const newestProtocol = 'version=2';
const advertisement: readonly string[] = ['--stateless-rpc', '--advertise-refs'];
const exchange: readonly string[] = ['--stateless-rpc'];

function protocolOf(request: IncomingMessage): string {
  return /(?:^|:)(version=[012])(?:$|:)/.exec(String(request.headers['git-protocol'] ?? ''))?.[1] ?? 'version=0';
}

function servingGit({ directory, env }: Served, protocol: string): Git {
  return withGit(ownGit(directory, env), { GIT_PROTOCOL: protocol });
}

async function refusalOf(
  git: Git,
  { answers }: Served,
  body: Buffer,
  response: ServerResponse,
): Promise<string | undefined> {
  const controller = new AbortController();
  const onClose = (): void => controller.abort(new AbortReason('finished', 'the client went away'));
  response.once('close', onClose);
  try {
    const { wants } = parseUploadPackRequest(body);
    const forbidden = await findForbiddenWant(git, wants, answers, controller.signal);
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
  { answers }: Served,
  args: readonly string[],
  input: string | Buffer,
  response: ServerResponse,
): Promise<void> {
  const key = requestKey(git, args, input);
  const known = answers.find(key);
  if (known !== undefined) {
    response.end(known);
    return;
  }
  const controller = new AbortController();
  const onClose = (): void => controller.abort(new AbortReason('finished', 'the client went away'));
  response.once('close', onClose);
  const running = startCommand(uploadPackCommand(git, args), controller.signal);
  running.stdin.end(input);
  const kept: Buffer[] = [];
  try {
    await pipeline(running.stdout, (output: AsyncIterable<Buffer>) => copyTo(kept, output), response, { end: false });
    const { exitCode } = await running.ended;
    response.off('close', onClose);
    if (exitCode === 0) answers.keep(key, Buffer.concat(kept));
    // What went wrong, if anything, git has said in the protocol itself.
    response.end();
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  }
}

/** Passes on what comes, and collects it until it is more than would be kept. */
async function* copyTo(kept: Buffer[], output: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of output) {
    if (size <= longestKeptBytes) kept.push(chunk);
    size += chunk.length;
    yield chunk;
  }
}

function uploadPackCommand(git: Git, args: readonly string[]): Command {
  return gitCommand(git, ['upload-pack', ...args, git.env['GIT_DIR'] ?? git.cwd]);
}

/** What the answer depends on. */
function requestKey(git: Git, args: readonly string[], input: string | Buffer): string {
  const content = createHash('sha256').update(input).digest('hex');
  return [git.env['GIT_PROTOCOL'] ?? '', ...args, content].join(' ');
}

function errorPacket(message: string): string {
  const text = `ERR ${message}\n`;
  return `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
}
