import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
let one: { readonly id: number; readonly token: string };
let two: { readonly id: number; readonly token: string };
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());
beforeEach(() => {
  one = bench.coordinator.createRunner({ description: 'one' });
  two = bench.coordinator.createRunner({ description: 'two' });
});

/** Two runners that the server knows and, between them, one that it does not. */
function writeRunners(): string {
  const entry = (name: string, token: string, id: number): string =>
    `# ${name}\n[[runners]]\n  name = "${name}" # its name\n  url = "${bench.coordinator.url}"\n  id = ${id}\n  token = "${token}"\n  executor = "shell"\n`;
  const text = [
    'concurrent = 3 # three\n',
    entry('one', one.token, one.id),
    entry('gone', 'glrt-unknown-token-0', 99),
    entry('two', two.token, two.id),
  ].join('\n');
  bench.write(text);
  return text;
}

async function names(): Promise<readonly unknown[]> {
  const { runners = [] } = (await bench.data()) as { runners?: { name: string }[] };
  return runners.map(({ name }) => name);
}

it('list shows every runner with its token', async () => {
  writeRunners();
  const { code, output } = await bench.run(['list']);
  expect(output).toContain(`Listing configured runners`);
  expect(output).toMatch(new RegExp(`one +Executor=shell Token=${one.token} URL=${bench.coordinator.url}`));
  expect(code).toBe(0);
  bench.write('concurrent = x');
  const broken = await bench.run(['list']);
  expect([broken.code, broken.output]).toEqual([0, expect.stringContaining('WARNING: decoding configuration file:')]);
});

describe('verify', () => {
  it('fails for a runner that the server does not know, and leaves the file', async () => {
    const text = writeRunners();
    const { code, output } = await bench.run(['verify']);
    expect(output).toContain('Verifying runner... is not valid');
    expect(output).toContain('FATAL: Failed to verify runners');
    expect([code, bench.text()]).toEqual([1, text]);
    expect((await bench.run(['verify', '--name', 'one'])).code).toBe(0);
    expect((await bench.run(['verify', '--token', two.token, '--url', bench.coordinator.url])).code).toBe(0);
    const nobody = await bench.run(['verify', '--name', 'nobody']);
    expect([nobody.code, nobody.output]).toEqual([
      1,
      expect.stringContaining('no runner matches the filtering parameters'),
    ]);
  });

  it('removes such a runner with --delete, and nothing else', async () => {
    const text = writeRunners();
    const { code, output } = await bench.run(['verify', '--delete']);
    expect(output).toContain(`Updated ${bench.path}`);
    expect(code).toBe(0);
    expect(await names()).toEqual(['one', 'two']);
    const [before = '', rest = ''] = text.split('[[runners]]\n  name = "gone"');
    expect(bench.text()).toBe(`${before}${rest.slice(rest.indexOf('\n# two'))}`);
  });

  it('keeps runners of a server that cannot be reached', async () => {
    bench.write('[[runners]]\n  url = "http://127.0.0.1:1"\n  token = "glrt-some-token-00000"\n  executor = "shell"\n');
    const { code, output } = await bench.run(['verify', '--delete']);
    expect(output).toContain('ERROR: Verifying runner... failed');
    expect([code, bench.text()]).toEqual([0, expect.stringContaining('[[runners]]')]);
  });
});

describe('unregister', () => {
  it('removes one runner by name, by token and by url', async () => {
    writeRunners();
    await bench.run(['verify', '--name', 'one']);
    await bench.run(['verify', '--name', 'two']);
    const byName = await bench.run(['unregister', '--name', 'one']);
    expect(byName.output).toContain('Unregistering runner manager from GitLab succeeded');
    expect([byName.code, await names()]).toEqual([0, ['gone', 'two']]);
    const refused = await bench.run(['unregister', '--name', 'gone']);
    expect(refused.output).toContain('FATAL: failed to unregister runner');
    expect([refused.code, await names()]).toEqual([1, ['gone', 'two']]);
    const several = await bench.run(['unregister', '--url', bench.coordinator.url]);
    expect([several.code, several.output]).toEqual([1, expect.stringContaining('several runners have this url')]);
    const byToken = await bench.run(['unregister', '--token', two.token]);
    expect([byToken.code, await names()]).toEqual([0, ['gone']]);
    const nothing = await bench.run(['unregister']);
    expect([nothing.code, nothing.output]).toEqual([1, expect.stringContaining('at least one of --name or --token')]);
  });

  it('removes all runners it can, and keeps the others', async () => {
    writeRunners();
    await bench.run(['verify']);
    const { code, output } = await bench.run(['unregister', '--all-runners']);
    expect(output).toContain('WARNING: Unregistering all runners');
    expect(output).toContain('ERROR: Failed to unregister runners');
    expect([code, await names()]).toEqual([0, ['gone']]);
    expect(bench.text()).toContain('concurrent = 3 # three\n');
  });
});

describe('reset-token', () => {
  it('stores the new token where the old one was', async () => {
    const text = writeRunners();
    const { code, output } = await bench.run(['reset-token', '--name', 'one']);
    expect(output).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d Updated$/m);
    expect(code).toBe(0);
    const { runners } = (await bench.data()) as { runners: { token: string }[] };
    expect(runners[0]?.token).not.toBe(one.token);
    expect(output).not.toContain(runners[0]?.token);
    const times = /\n {2}token_obtained_at = .*\n {2}token_expires_at = .*/;
    expect(
      bench
        .text()
        .replace(times, '')
        .replace(runners[0]?.token ?? '', one.token),
    ).toBe(text);
    expect((await bench.run(['verify', '--name', 'one'])).code).toBe(0);
  });

  it('asks with a personal access token, by url and id', async () => {
    writeRunners();
    const args = ['reset-token', '--url', bench.coordinator.url, '--id', String(two.id)];
    expect((await bench.run([...args, '--pat', bench.coordinator.adminToken])).code).toBe(0);
    expect((await bench.run(['verify', '--name', 'two'])).code).toBe(0);
    expect(bench.text()).not.toContain(two.token);
    const refused = await bench.run([...args, '--pat', 'wrong']);
    expect([refused.code, refused.output]).toEqual([
      1,
      expect.stringContaining('FATAL: Failed to reset runner authentication token'),
    ]);
    const nobody = await bench.run(['reset-token', '--name', 'nobody']);
    expect([nobody.code, nobody.output]).toEqual([1, expect.stringContaining("Couldn't get runner credentials")]);
  });

  it('resets all that it can', async () => {
    writeRunners();
    const { code, output } = await bench.run(['reset-token', '--all-runners']);
    expect(output).toContain('WARNING: Resetting all runner authentication tokens');
    expect(output).toContain('ERROR: Failed to reset runner authentication token');
    expect(code).toBe(0);
    expect(bench.text()).not.toContain(one.token);
    expect(bench.text()).not.toContain(two.token);
  });

  it('writes into the token file', async () => {
    const file = join(bench.folder, 'token');
    writeFileSync(file, `${one.token}\n`);
    chmodSync(file, 0o600);
    bench.write(
      `[[runners]]\n  name = "f"\n  url = "${bench.coordinator.url}"\n  token_file = "token"\n  executor = "shell"\n`,
    );
    expect((await bench.run(['reset-token', '--name', 'f'])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toContain(one.token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(bench.text()).not.toMatch(/^ *token = /m);
    expect((await bench.run(['verify'])).code).toBe(0);
  });

  it('changes nothing where the new token cannot be stored', async () => {
    const text = `[[runners]]\n  name = "e"\n  url = "${bench.coordinator.url}"\n  token = "\${TOKEN}"\n  executor = "shell"\n`;
    bench.write(text);
    const { code, output } = await bench.run(['reset-token', '--name', 'e'], { TOKEN: one.token });
    expect(output).toContain('the token comes from an environment variable');
    expect([code, bench.text()]).toEqual([1, text]);
    expect((await bench.run(['verify'], { TOKEN: one.token })).code).toBe(0);
  });
});

describe('lint', () => {
  it('names every mistake with its place and makes nothing', async () => {
    bench.write(
      'concurent = 1\n[[runners]]\n  url = "https://gitlab.example.com"\n  token = "x"\n  executor = "shel"\n',
    );
    const { code, output } = await bench.run(['lint']);
    expect(output).toContain(`${bench.path}:1:1: unknown key: concurent; did you mean concurrent?\n`);
    expect(output).toContain(`${bench.path}:5:14: runners.executor: "shel" is none of shell, docker`);
    expect(output).toContain(`FATAL: 1 unknown key(s) found in ${bench.path}`);
    expect(code).toBe(1);
  });

  it('is satisfied with a file that is right, and not with none', async () => {
    bench.write('[[runners]]\n  url = "https://gitlab.example.com"\n  token = "x"\n  executor = "shell"\n');
    const right = await bench.run(['lint']);
    expect([right.code, right.output]).toEqual([0, expect.stringContaining('Configuration file is valid.')]);
    const none = await bench.run(['lint', '--config', 'none.toml']);
    expect([none.code, none.output]).toEqual([1, expect.stringContaining('FATAL: config file not found: ')]);
  });
});
