import { expect, test } from 'vitest';
import { parseVariableOption, parseVariablesFile } from './variables-file.ts';

const plain = { file: false, masked: false, raw: false };

test('dotenv', async () => {
  const text = `# comment
A=1
export B = two words # not this
C='single $x \\n'
D="double \\"quoted\\" \\n end"
E="over
lines" # c
F=
G=a#b
`;
  expect(await parseVariablesFile(text, '.env')).toEqual([
    { key: 'A', value: '1', ...plain },
    { key: 'B', value: 'two words', ...plain },
    { key: 'C', value: 'single $x \\n', ...plain },
    { key: 'D', value: 'double "quoted" \n end', ...plain },
    { key: 'E', value: 'over\nlines', ...plain },
    { key: 'F', value: '', ...plain },
    { key: 'G', value: 'a#b', ...plain },
  ]);
});

test('YAML with masked and file variables; numbers stay as written', async () => {
  const text =
    'A: text\nB: 1.10\nC: 0x10\nD: {value: secret, masked: true}\nE:\n  value: |\n    cert\n  type: file\nF: yes\nG:\n';
  expect(await parseVariablesFile(text, 'vars.yml')).toEqual([
    { key: 'A', value: 'text', ...plain },
    { key: 'B', value: '1.10', ...plain },
    { key: 'C', value: '0x10', ...plain },
    { key: 'D', value: 'secret', file: false, masked: true, raw: false },
    { key: 'E', value: 'cert\n', file: true, masked: false, raw: false },
    { key: 'F', value: 'yes', ...plain },
    { key: 'G', value: '', ...plain },
  ]);
});

test.each([
  ['no line\n', 'x.env', 'x.env:1: a line KEY=value is expected'],
  ['A=1\nB="open\n', '.env', '.env:2: the quote " is not closed'],
  ['A: 1\n2B: x\n', 'v.yml', 'v.yml:2: "2B" is no name of a variable'],
  ['A: {value: x, type: folder}\n', 'v.yml', 'v.yml:1: the type of A must be "variable" or "file"'],
  ['A: {valu: x}\n', 'v.yml', 'v.yml:1: A has unknown keys: valu'],
  ['A: [1]\n', 'v.yml', 'v.yml:1: A must be a text, or a map with value, type, masked and raw'],
  ['- A\n', 'v.yml', 'v.yml: a map of names to values is expected'],
])('%j is refused', async (text, path, message) => {
  await expect(parseVariablesFile(text, path)).rejects.toThrow(message);
});

test('the kind of a file without known ending shows in its first line', async () => {
  expect(await parseVariablesFile('\n# c\nA=1\n', 'vars')).toEqual([{ key: 'A', value: '1', ...plain }]);
  expect(await parseVariablesFile('A: 1\n', 'vars')).toEqual([{ key: 'A', value: '1', ...plain }]);
});

test('--variable', () => {
  expect(parseVariableOption('A=b=c')).toEqual({ key: 'A', value: 'b=c', ...plain });
  expect(() => parseVariableOption('A')).toThrow('write it as NAME=VALUE');
});
