import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandEnvironment, SignalName } from '../../../src/commands/command-environment.ts';
import { type ManagerTools, type RunOptions, runManagerCommand } from '../../../src/commands/run.ts';
import { createCondition } from '../../../src/manager/condition.ts';
import { type ScriptedServer, sendStatus, startScriptedServer } from '../../support/scripted-server.ts';

let folder: string;
let server: ScriptedServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-run-'));
  server = await startScriptedServer((_request, response) => sendStatus(response, 204));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

class Exited extends Error {}

function start(toml: string | undefined, options: RunOptions = {}, env: Record<string, string> = {}) {
  const config = join(folder, 'config.toml');
  if (toml !== undefined) writeFileSync(config, toml);
  const listeners = new Map<SignalName, () => void>();
  const lines: string[] = [];
  const changed = createCondition();
  const exits: number[] = [];
  let composed: ManagerTools | undefined;
  let closed = 0;
  const environment: CommandEnvironment = {
    stdout: () => {},
    stderr: (text) => void lines.push(text),
    isTerminal: false,
    env,
    workingDirectory: folder,
    onSignal: (name, listener) => {
      listeners.set(name, listener);
      changed.notify();
      return () => listeners.delete(name);
    },
    exit: (code) => {
      exits.push(code);
      throw new Exited();
    },
  };
  const destination = {
    write: (line: string) => {
      lines.push(line);
      changed.notify();
    },
    flush: () => {},
  };
  const compose = (tools: ManagerTools) => {
    composed = tools;
    return Promise.resolve({
      providers: new Map(),
      runJob: () => Promise.reject(new Error('not used')),
      close: () => {
        closed += 1;
        return Promise.resolve();
      },
    });
  };
  const done = runManagerCommand({ config, ...options }, environment, compose, destination);
  return {
    done,
    lines,
    exits,
    text: () => lines.join(''),
    composed: () => composed,
    closed: () => closed,
    listeners,
    signal: async (name: SignalName) => {
      await changed.until(() => listeners.has(name), AbortSignal.timeout(10_000));
      listeners.get(name)?.();
    },
    logged: (text: string) =>
      changed.until(() => lines.some((line) => line.includes(text)), AbortSignal.timeout(10_000)),
  };
}

const config = () => `[[runners]]\nname = "r"\nurl = "${server.url}"\ntoken = "abc"\nexecutor = "shell"\n`;

describe('run', () => {
  it('says what it does, from start to a graceful end', async () => {
    const run = start(config());
    await run.signal('SIGQUIT');
    expect(await run.done).toBe(0);
    const messages = run.lines.map((line) => line.replace(/ {2,}.*/s, '').trim());
    const expected = [
      'Runtime platform',
      `Starting multi-runner from ${join(folder, 'config.toml')}...`,
      'Configuration loaded',
      'listen_address not defined, metrics & debug endpoints disabled',
      '[session_server].listen_address not defined, session endpoints disabled',
      'Initializing executor providers',
      'WARNING: [runWait] received stop signal',
      'All workers stopped.',
      'Can exit now!',
    ];
    expect(messages.filter((message) => expected.some((text) => message.startsWith(text)))).toHaveLength(
      expected.length,
    );
    expect(run.closed()).toBe(1);
    expect(run.listeners.size).toBe(0);
  });

  it('stops on SIGTERM', async () => {
    const run = start(config());
    await run.signal('SIGTERM');
    expect(await run.done).toBe(0);
    expect(run.text()).toContain('Starting forceful shutdown');
    expect(run.text()).toContain('StopSignal=terminated');
  });

  it('idles without a config file and says so', async () => {
    const run = start(undefined);
    await run.logged('The config file does not exist');
    await run.signal('SIGQUIT');
    expect(await run.done).toBe(0);
  });

  it('does not reload, and says so', async () => {
    const run = start(config());
    await run.signal('SIGHUP');
    expect(run.text()).toContain('cannot be reloaded');
    await run.signal('SIGQUIT');
    await run.done;
  });

  it('fails with the place of a mistake in the config file', async () => {
    const run = start('concurrent = "many"\n');
    expect(await run.done).toBe(1);
    expect(run.lines.at(-1)).toMatch(/^FATAL: Service run failed/);
    expect(run.lines.at(-1)).toContain(`${join(folder, 'config.toml')}:1:14: incompatible types: concurrent`);
    expect(run.composed()).toBeUndefined();
  });

  it('fails without slots', async () => {
    const run = start('concurrent = 0\n');
    expect(await run.done).toBe(1);
    expect(run.lines.at(-1)).toContain('it must be at least 1');
    expect(run.closed()).toBe(1);
  });

  it('fails when it cannot change to its working directory', async () => {
    const run = start(config(), { workingDirectory: join(folder, 'none') });
    expect(await run.done).toBe(1);
    expect(run.lines.at(-1)).toContain('cannot change to the working directory');
  });

  it('takes log settings from options before the environment before the file', async () => {
    const toml = `log_level = "error"\nlog_format = "json"\n${config()}`;
    const fromFile = start(toml);
    await fromFile.signal('SIGQUIT');
    await fromFile.done;
    expect(fromFile.text()).not.toContain('All workers stopped.');
    const fromOptions = start(toml, { logLevel: 'info' }, { LOG_FORMAT: 'text', LOG_LEVEL: 'panic' });
    await fromOptions.signal('SIGQUIT');
    await fromOptions.done;
    expect(fromOptions.text()).toMatch(/time="[^"]+" level=info msg="All workers stopped\."/);
  });

  it.each([{ logLevel: 'loud' }, { logFormat: 'xml' }])('refuses %j', async (options) => {
    const run = start(config(), options);
    expect(await run.done).toBe(1);
    expect(run.text()).toContain('FATAL: Error while setting up logging configuration');
  });

  it('hands the user on, the option before the file', async () => {
    const run = start(`user = "one"\n${config()}`, { user: 'two' });
    await run.signal('SIGQUIT');
    await run.done;
    expect(run.composed()?.user).toBe('two');
  });
});
