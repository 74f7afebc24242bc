import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTomlDocument, plainValue, TomlFloat } from '../toml-document.ts';
import { editToml, type TomlPath } from './toml-editor.ts';
import type { TomlValue } from './toml-text.ts';

const sample = `# the file of team A
concurrent = 4 # four cores
check_interval = 0

[session_server]
  session_timeout = 1800

# the first runner
[[runners]]
  name = "one"
  Token = "old" # rotated by hand
  executor = "docker"
  docker.image = "alpine"
  environment = ["A=1"]
  [runners.cache]
    Type = "s3"
    # keys come from the role
    [runners.cache.s3]
  [runners.feature_flags]

# the second runner
[[runners]]
  name = "two"
  custom_build_dir = { enabled = true }
# the end
`;

async function edited(text: string, edit: (editor: Awaited<ReturnType<typeof editToml>>) => void): Promise<string> {
  const editor = await editToml(text, 'config.toml');
  edit(editor);
  return editor.text();
}

describe('editToml', () => {
  it.each<[string, TomlPath, TomlValue, string, string]>([
    ['a value', ['concurrent'], 8, 'concurrent = 4 #', 'concurrent = 8 #'],
    ['a key in another letter case', ['runners', 0, 'token'], 'new', 'Token = "old" #', 'Token = "new" #'],
    ['a dotted key', ['runners', 0, 'docker', 'image'], 'x', 'image = "alpine"', 'image = "x"'],
    [
      'a key beside it',
      ['runners', 0, 'docker', 'memory'],
      '1g',
      'e = "alpine"\n',
      'e = "alpine"\n  docker.memory = "1g"\n',
    ],
    ['a global key', ['shutdown_timeout'], 9, 'interval = 0\n', 'interval = 0\nshutdown_timeout = 9\n'],
    ['a runner’s key', ['runners', 0, 'limit'], 2, '["A=1"]\n', '["A=1"]\n  limit = 2\n'],
    [
      'a key of an empty table',
      ['runners', 0, 'cache', 's3', 'BucketName'],
      'b',
      's3]\n',
      's3]\n      BucketName = "b"\n',
    ],
    ['a key of an inline table', ['runners', 1, 'custom_build_dir', 'x'], true, '= true }', '= true, x = true }'],
    [
      'a key in a new table',
      ['runners', 0, 'ssh', 'user'],
      'u',
      'flags]\n',
      'flags]\n  [runners.ssh]\n    user = "u"\n',
    ],
    ['a whole array', ['runners', 0, 'environment'], ['A=1', 'B="2"\n'], '["A=1"]', '["A=1", "B=\\"2\\"\\n"]'],
  ])('sets %s', async (_name, path, value, before, after) => {
    expect(await edited(sample, (editor) => editor.set(path, value))).toBe(sample.replace(before, after));
  });

  it('removes one runner and leaves the comments around it', async () => {
    const text = await edited(sample, (editor) => editor.remove(['runners', 0]));
    const [before, , rest] = sample.split(/(\[\[runners\]\]\n {2}name = "one"[^]*flags\]\n\n)/);
    expect(text).toBe(`${before}\n${rest}`);
  });

  it('adds a runner and takes it away again', async () => {
    const entry = {
      name: 'three',
      limit: 1,
      weight: new TomlFloat(1),
      cache: { s3: {} },
      docker: { services: [{ name: 'a' }] },
    };
    const longer = await edited(sample, (editor) => editor.append('runners', entry));
    expect(longer).toBe(`${sample}
[[runners]]
  name = "three"
  limit = 1
  weight = 1.0
  [runners.cache]
    [runners.cache.s3]
  [runners.docker]
    [[runners.docker.services]]
      name = "a"
`);
    expect(await edited(longer, (editor) => editor.remove(['runners', 2]))).toBe(sample);
  });

  it('edits arrays of inline tables', async () => {
    const text = 'runners = [{ name = "a" }, { name = "b" }] # two\n';
    expect(await edited(text, (editor) => editor.append('runners', { name: 'c' }))).toContain(
      '}, { name = "c" }] # two',
    );
    expect(await edited(text, (editor) => editor.remove(['runners', 0]))).toBe('runners = [{ name = "b" }] # two\n');
    expect(await edited(text, (editor) => editor.remove(['runners', 1]))).toBe('runners = [{ name = "a" }] # two\n');
    const empty = await edited('runners = []\n', (editor) => editor.append('runners', { name: 'c' }));
    expect(empty).toBe('runners = [{ name = "c" }]\n');
  });

  it('keeps the line breaks of the file', async () => {
    const text = await edited('a = 1\r\n[b]\r\n', (editor) => {
      editor.set(['c'], 2);
      editor.set(['b', 'd'], 3);
    });
    expect(text).toBe('a = 1\r\nc = 2\r\n[b]\r\n  d = 3\r\n');
  });

  it('says what it cannot edit', async () => {
    await expect(edited(sample, (editor) => editor.set(['runners'], 1))).rejects.toThrow('set key by key');
    await expect(edited('a = ', () => {})).rejects.toThrow('config.toml:1:');
  });
});

type Generated<T> = T extends fc.Arbitrary<infer V> ? V : never;

const key = fc.constantFrom('a', 'b', 'long_key', 'tls-ca-file', 'with space', 'q"uote', 'ä');
const scalar: fc.Arbitrary<TomlValue> = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.integer(),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => new TomlFloat(value + 0)),
  fc.date({ min: new Date('0001-01-01'), max: new Date('9999-01-01'), noInvalidDate: true }),
);
const value: fc.Arbitrary<TomlValue> = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(key, scalar, { maxKeys: 2 }),
);
const filler = fc.constantFrom('', '\n', '# a comment = "1"\n', '  # [[runners]]\n', '\n\n# two\n');
const tail = fc.constantFrom('', ' ', ' # why');

/** One table's keys, in several ways of writing. */
const keys = fc.uniqueArray(
  fc.record({ key, value: scalar, before: filler, tail, indent: fc.constantFrom('', '  ', '\t') }),
  {
    selector: (entry) => entry.key,
    maxLength: 4,
  },
);
const document = fc.record({
  top: keys,
  runners: fc.array(fc.record({ before: filler, own: keys, docker: fc.option(keys), inline: fc.boolean(), tail }), {
    maxLength: 3,
  }),
  end: filler,
});

function quoted(name: string): string {
  return /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
}

async function render(parts: Generated<typeof document>): Promise<string> {
  const { valueText } = await import('./toml-text.ts');
  const lines = (list: Generated<typeof keys>): string =>
    list.map((k) => `${k.before}${k.indent}${quoted(k.key)} = ${valueText(k.value)}${k.tail}\n`).join('');
  const runners = parts.runners.map((runner) => {
    const docker = runner.docker ?? [];
    const inline = `docker = { ${docker.map((k) => `${quoted(k.key)} = ${valueText(k.value)}`).join(', ')} }\n`;
    const below =
      runner.docker === null ? '' : runner.inline ? inline : `  [runners.docker]${runner.tail}\n${lines(docker)}`;
    return `${runner.before}[[runners]]${runner.tail}\n${lines(runner.own)}${below}`;
  });
  return `${lines(parts.top)}${runners.join('')}${parts.end}`;
}

async function dataOf(text: string): Promise<Record<string, unknown>> {
  return plainValue(await parseTomlDocument(text, 'test'), 'plain') as Record<string, unknown>;
}

function commentsOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => /^\s*#/.test(line));
}

function plainOf(wanted: unknown): unknown {
  if (wanted instanceof TomlFloat) return wanted.value;
  if (Array.isArray(wanted)) return wanted.map(plainOf);
  if (typeof wanted !== 'object' || wanted === null || wanted instanceof Date) return wanted;
  return Object.fromEntries(Object.entries(wanted).map(([name, member]) => [name, plainOf(member)]));
}

describe('any document', () => {
  it('has the value that was set, and every byte outside it', async () => {
    const where = fc.tuple(fc.constantFrom<readonly string[]>([], ['docker'], ['new', 'deeper']), key);
    await fc.assert(
      fc.asyncProperty(document, fc.nat({ max: 3 }), where, value, async (parts, index, [tables, name], wanted) => {
        const before = await render(parts);
        const isRunner = index < parts.runners.length;
        const path: TomlPath = isRunner ? ['runners', index, ...tables, name] : [...tables, name];
        const after = await edited(before, (editor) => editor.set(path, wanted));
        let found: unknown = await dataOf(after);
        for (const step of path) found = (found as Record<string | number, unknown>)[step];
        expect(found).toEqual(plainOf(wanted));
        const restored = await edited(after, (editor) => editor.remove(path));
        const hadIt = await valueAt(before, path);
        let start = 0;
        while (start < before.length && before[start] === after[start]) start += 1;
        let end = 0;
        while (end < before.length - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
        const replaced = before.slice(start, before.length - end);
        if (hadIt === undefined) {
          expect(replaced).toBe('');
          expect(commentsOf(restored)).toEqual(commentsOf(before));
        } else {
          // What was replaced lies in the old value: nothing else of the file is gone.
          const { valueText } = await import('./toml-text.ts');
          const old = [...parts.top, ...parts.runners.flatMap((r) => [...r.own, ...(r.docker ?? [])])];
          expect(old.some((entry) => valueText(entry.value).includes(replaced)) || replaced.includes('docker')).toBe(
            true,
          );
        }
        expect(commentsOf(after)).toEqual(commentsOf(before));
      }),
      { numRuns: 400 },
    );
  });

  it('loses one runner and nothing that stands outside it', async () => {
    await fc.assert(
      fc.asyncProperty(document, fc.nat({ max: 2 }), async (parts, index) => {
        fc.pre(index < parts.runners.length);
        const before = await render(parts);
        const data = await dataOf(before);
        const after = await edited(before, (editor) => editor.remove(['runners', index]));
        const runners = (data['runners'] as unknown[]).filter((_runner, at) => at !== index);
        const found = await dataOf(after);
        expect(found['runners'] ?? []).toEqual(runners);
        const others = {
          ...parts,
          runners: parts.runners.map((r, at) => (at === index ? { ...r, own: [], docker: null } : r)),
        };
        expect(commentsOf(after)).toEqual(commentsOf(await render(others)));
      }),
      { numRuns: 300 },
    );
  });

  it('gains a runner behind all it had', async () => {
    const entry = fc.record({ name: fc.string(), docker: fc.dictionary(key, scalar, { maxKeys: 3 }) });
    await fc.assert(
      fc.asyncProperty(document, entry, async (parts, added) => {
        const before = await render(parts);
        const after = await edited(before, (editor) => editor.append('runners', added));
        expect(after.startsWith(before)).toBe(true);
        expect((await dataOf(after))['runners']).toEqual([
          ...(((await dataOf(before))['runners'] ?? []) as unknown[]),
          plainOf(added),
        ]);
      }),
      { numRuns: 200 },
    );
  });
});

async function valueAt(text: string, path: TomlPath): Promise<unknown> {
  let found: unknown = await dataOf(text);
  for (const step of path) found = (found as Record<string | number, unknown> | undefined)?.[step];
  return found;
}
