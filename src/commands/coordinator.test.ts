import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseListenAddress, runCoordinatorCommand } from './coordinator.ts';

test.each([
  ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
  ['[::1]:8090', { host: '::1', port: 8090 }],
  [':8090', { host: '127.0.0.1', port: 8090 }],
  ['8090', { host: '127.0.0.1', port: 8090 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
])('listens on %s', (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

test.each(['host', '1.2.3.4:99999', '::1:80', ''])('does not listen on %j', (text) => {
  expect(() => parseListenAddress(text)).toThrow(/not an address/);
});

test('serves until told to stop, and says how to register a runner; the second time with the same tokens', async () => {
  const workingDirectory = await mkdtemp(join(tmpdir(), 'coordinator-command-'));
  onTestFinished(() => rm(workingDirectory, { recursive: true, force: true }));
  const run = async (): Promise<string> => {
    const stop = new AbortController();
    const { promise: told, resolve } = Promise.withResolvers<string>();
    const running = runCoordinatorCommand(
      { listen: '127.0.0.1:0' },
      { stdout: resolve, env: process.env, workingDirectory },
      stop.signal,
    );
    const text = await Promise.race([told, running.then(() => 'ended')]);
    const url = /http:\/\/\S+/.exec(text)?.[0] ?? '';
    expect((await fetch(`${url}/-/health`)).status).toBe(200);
    stop.abort();
    await running;
    await expect(fetch(`${url}/-/health`)).rejects.toThrow();
    return text.replaceAll(url, 'URL');
  };
  const first = await run();
  expect(first).toMatch(/token = "glrt-\w{20}"/);
  expect(first).toMatch(/Registration token: GR1348941\w{20}/);
  expect(await run()).toBe(first);
});

test('a file of fault rules that is not there or wrong is a clear error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coordinator-command-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'faults.json');
  const run = () =>
    runCoordinatorCommand(
      { injectFaults: path, listen: '0' },
      { stdout: () => {}, env: {}, workingDirectory: folder },
      AbortSignal.abort(),
    );
  await expect(run()).rejects.toThrow(/There is no file/);
  await writeFile(path, '[{"endpoint":"trace"}]');
  await expect(run()).rejects.toThrow(/cannot be used/);
});
