import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { helperCommands } from '../../../src/commands/helper/index.ts';

/** A request as the server got it, its body read to the end. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Answers without reading the request. */
  readonly early?: boolean;
  /** Breaks the connection instead, after this many bytes of the body were sent (0 = none, no answer at all). */
  readonly breakAfter?: number;
  /** Answers only then. */
  readonly after?: Promise<void> | undefined;
  /** Never answers. */
  readonly isSilent?: boolean;
}

export interface TestServer {
  readonly url: string;
  readonly received: Received[];
  /** Answers of the next requests, in order; the last one stays. */
  answer(...answers: (Answer | ((request: Received) => Answer))[]): void;
  close(): Promise<void>;
}

/** A real HTTP server on loopback that answers as told. */
export async function startServer(tls?: ServerOptions): Promise<TestServer> {
  const received: Received[] = [];
  let answers: (Answer | ((request: Received) => Answer))[] = [{ status: 404 }];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const next = answers.length > 1 ? answers.shift() : answers[0];
    const chunks: Buffer[] = [];
    const isEarly = typeof next === 'object' && (next.early === true || next.breakAfter === 0);
    if (!isEarly) for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers, rawHeaders } = request;
    const seen = { method, url, headers, rawHeaders, body: Buffer.concat(chunks) };
    received.push(seen);
    const answer = typeof next === 'function' ? next(seen) : (next ?? { status: 404 });
    if (answer.breakAfter === 0) {
      request.socket.destroy();
      return;
    }
    if (answer.isSilent === true) return;
    await answer.after;
    const body = Buffer.from(answer.body ?? '');
    response.writeHead(answer.status, { 'content-length': String(body.length), ...answer.headers });
    if (answer.breakAfter === undefined) response.end(method === 'HEAD' ? undefined : body);
    else response.write(body.subarray(0, answer.breakAfter), () => request.socket.destroy());
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (...next) => {
      answers = next;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

export interface HelperRun {
  readonly exitCode: number;
  /** Lines of the job's log, colours and padding taken off. */
  readonly lines: readonly string[];
  readonly stderr: string;
  readonly stdout: string;
  /** What was slept, in milliseconds. */
  readonly slept: readonly number[];
}

/** Runs a helper command in this process. Its clock does not wait. */
export async function runHelper(
  name: string,
  argv: readonly string[],
  workingDirectory: string,
  env: Readonly<Record<string, string>> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<HelperRun> {
  const command = await helperCommands[name]?.load();
  if (command === undefined) throw new Error(`no command ${name}`);
  let [stderr, stdout] = ['', ''];
  const slept: number[] = [];
  const exitCode = await command.execute(
    argv,
    {
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text;
      },
      env: { PATH: process.env['PATH'], ...env },
      workingDirectory,
      clock: {
        now: () => Date.now(),
        sleep: async (ms) => void slept.push(ms),
      },
    },
    signal,
  );
  return { exitCode, stdout, stderr, lines: plainLines(stderr), slept };
}

function plainLines(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line
        .replace(/\u001B\[[0-9;]*m/g, '')
        .replace(/ +/g, ' ')
        .trim(),
    );
}

export interface Workspace {
  readonly base: string;
  /** The project's directory. */
  readonly project: string;
  /** Writes a file of the project. */
  write(path: string, content?: string | Buffer): void;
  remove(): void;
}

export function createWorkspace(): Workspace {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'helper-')));
  const project = join(base, 'project');
  mkdirSync(project);
  return {
    base,
    project,
    write: (path, content = path) => {
      mkdirSync(dirname(join(project, path)), { recursive: true });
      writeFileSync(join(project, path), content);
    },
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}
