import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'vitest';
import { millrace, RunnerBench, scriptJob } from '../support/runner-bench.ts';

/** Starts to listen on loopback; ends with the test. @returns its URL */
async function listen(server: Server, { onTestFinished }: TestContext): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Nobody listens there. */
async function refusing(context: TestContext): Promise<string> {
  const server = createServer();
  const url = await listen(server, context);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return url;
}

/** Takes connections and never says a word. */
async function silent(context: TestContext): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    context.onTestFinished(() => void socket.destroy());
  });
  return await listen(server, context);
}

/** A black hole: a reserved address that drops what it gets. */
async function unreachable(): Promise<string> {
  return 'http://192.0.2.1/';
}

/** Answers every request with "no job", half a minute late. */
async function late(context: TestContext): Promise<string> {
  const timers = new Set<NodeJS.Timeout>();
  const server = createHttpServer((_request, response) => {
    const timer = setTimeout(() => response.writeHead(204).end(), 30_000);
    timers.add(timer);
  });
  context.onTestFinished(() => {
    for (const timer of timers) clearTimeout(timer);
    server.closeAllConnections();
  });
  return await listen(server, context);
}

/** Fails at once, always. */
async function failing(context: TestContext): Promise<string> {
  return await listen(
    createHttpServer((_request, response) => void response.writeHead(503).end()),
    context,
  );
}

const dead: readonly (readonly [string, (context: TestContext) => Promise<string>])[] = [
  ['refuses connections', refusing],
  ['is a black hole', unreachable],
  ['takes connections and says nothing', silent],
  ['answers half a minute late', late],
  ['answers 503', failing],
];

describe.concurrent('a server that', () => {
  for (const [what, start] of dead) {
    for (const concurrent of [1, 4]) {
      test(`${what} delays no job of another one (${concurrent} slots)`, { timeout: 120_000 }, async (context) => {
        const { expect } = context;
        const bench = await RunnerBench.start({ longPollSeconds: 0 });
        context.onTestFinished(() => bench.close());
        const { token } = bench.coordinator.createRunner({ description: 'living' });
        const folder = join(bench.folder, 'host');
        mkdirSync(folder, { recursive: true });
        writeFileSync(
          join(folder, 'config.toml'),
          configuration(folder, concurrent, await start(context), bench, token),
        );
        const runner = bench.startRunner(millrace(), { name: 'host' });
        const delays: number[] = [];
        for (let job = 0; job < 6; job += 1) {
          const id = await bench.submit(scriptJob({ script: ['echo ran'] }));
          const { status, times } = await bench.finished(id);
          expect(status, runner.log()).toBe('success');
          delays.push(Date.parse(String(times['handed_out_at'])) - Date.parse(String(times['pending_at'])));
        }
        await context.annotate(`waited ${delays.join(', ')} ms`);
        expect(
          delays.filter((delay) => delay > 15_000),
          String(delays),
        ).toEqual([]);
      });
    }
  }
});

/** The dead server comes first: it is asked first. */
function configuration(folder: string, concurrent: number, deadUrl: string, bench: RunnerBench, token: string): string {
  const entry = (name: string, url: string, runnerToken: string): string =>
    [
      '[[runners]]',
      `  name = "${name}"`,
      `  url = "${url}"`,
      `  token = "${runnerToken}"`,
      '  executor = "shell"',
      `  builds_dir = "${folder}/builds"`,
      `  cache_dir = "${folder}/cache"`,
    ].join('\n');
  return [
    `concurrent = ${concurrent}`,
    'check_interval = 1',
    entry('dead', deadUrl, 'glrt-dead'),
    entry('living', bench.coordinator.url, token),
    '',
  ].join('\n');
}
