import { describe, expect, it } from 'vitest';
import { payloadFixture } from '../../../test/support/plan-fixtures.ts';
import { JobConfigurationError } from '../../lib/errors.ts';
import { interpolateInputs } from './interpolate.ts';

const inputs = [
  { key: 'name', value: { type: 'string', content: 'world' } },
  { key: 'count', value: { type: 'number', content: 3 } },
  { key: 'on', value: { type: 'boolean', content: true } },
  { key: 'list', value: { type: 'array', content: ['a', { b: 'deep' }] } },
  { key: 'map', value: { type: 'struct', content: { 'b-c': 'dashed', n: null } } },
  { key: 'secret', value: { type: 'string', content: 'hush', sensitive: true } },
];

function rendered(text: string, given: readonly object[] = inputs): string | undefined {
  return interpolateInputs(payloadFixture({ inputs: given, steps: [{ name: 'script', script: [text] }] })).steps[0]
    ?.script[0];
}

describe('job inputs', () => {
  it.each([
    ['hello ${{ job.inputs.name }}!', 'hello world!'],
    ['${{job.inputs.count+1}} ${{ job["inputs"]["count"] * 2.5 }}', '4 7.5'],
    ['${{ job.inputs.list[1].b }} ${{ job.inputs.map["b-c"] }}', 'deep dashed'],
    ['\\${{ kept }} $x ${y}', '${{ kept }} $x ${y}'],
    ['${{ "a\\n\\"q\\"\\u0041 ${{ job.inputs.name }} \\${{" }}', 'a\n"q"A world ${{'],
    [String.raw`${'${{'} 'it\'s \\n' }}`, String.raw`it's \n`],
    ['${{ str(job.inputs.map.n) }}|${{ null }}', '<null>|<null>'],
    ['${{ num("4") + 1 }} ${{ bool("") }} ${{ bool([0]) }}', '5 false true'],
    ['${{ 1 + 2 * 3 == 7 && "yes" || "no" }}', 'yes'],
    ['${{ -2 - -3 }} ${{ !true }} ${{ 7 % 4 }} ${{ (1 + 2) * 3 }}', '1 false 3 9'],
    ['${{ "b" > "a" && 1 <= 1 && !(1 != 1) }}', 'true'],
    ['${{ 1 == "1" }} ${{ [1, {a: 2}] == [1, {"a": 2,},] }}', 'false true'],
    ['${{ {("k"): 1} }} ${{ job.inputs.list }}', '{"k":1} ["a",{"b":"deep"}]'],
    ['${{ false && job.inputs.secret || "short" }}', 'short'],
    ['${{ 1e3 }} ${{ 0.5 }}', '1000 0.5'],
  ])('%s', (text, expected) => {
    expect(rendered(text)).toBe(expected);
  });

  it.each([
    ['${{ job.inputs.unknown }}', 'there is no "unknown"'],
    ['${{ other }}', 'nothing is called "other"'],
    ['${{ "a" + 1 }}', '+ cannot be used with string and number'],
    ['${{ 1 / 0 }}', 'division by zero'],
    ['${{ job.inputs.name', 'expected "}}" at the end'],
    ['${{ if }}', '"if" is a reserved word'],
    ['${{ nope(1) }}', 'there is no function "nope"'],
    ['${{ "open }}', 'a string is not closed'],
    ['${{ }}', 'expected an expression'],
    ['${{ job.inputs.list[9] }}', 'there is no item 9'],
  ])('%s fails', (text, problem) => {
    expect(() => rendered(text)).toThrow(`failed to interpolate job inputs: ${problem}`);
  });

  it('that are sensitive may not be looked at', () => {
    for (const text of ['${{ job.inputs.secret }}', '${{ str(job.inputs) }}', '${{ job.inputs.secret == "x" }}']) {
      expect(() => rendered(text)).toThrow('sensitive inputs are unsupported in interpolations yet');
    }
  });

  it('have the announced type', () => {
    const one = (key: string, type: string, content: unknown) => () =>
      rendered('x', [{ key, value: { type, content } }]);
    expect(one('', 'string', 'x')).toThrow('input without key');
    expect(one('k', 'text', 'x')).toThrow('invalid type "text" for input "k": type is unknown');
    expect(one('k', 'number', '1')).toThrow('mismatching type of input "k". Announced "number", but got "string"');
    expect(one('k', 'string', null)).toThrow('input "k" is null, must have valid value');
    expect(one('k', 'number', '1')).toThrow(JobConfigurationError);
  });

  it('leave a job without them alone', () => {
    expect(rendered('${{ broken', [])).toBe('${{ broken');
  });

  it('reach the fields that may refer to them, no others', () => {
    const ref = '${{ job.inputs.name }}';
    const payload = interpolateInputs(
      payloadFixture({
        inputs,
        image: { name: ref, alias: ref, command: [ref], executor_opts: { docker: { user: ref } } },
        cache: [{ key: ref, paths: [ref], policy: ref }],
        artifacts: [{ name: ref, artifact_type: ref, expire_in: ref }],
        steps: [{ name: 'release', script: [ref] }],
        variables: [{ key: 'V', value: ref }],
      }),
    );
    expect(payload.image).toMatchObject({
      name: 'world',
      alias: ref,
      command: ['world'],
      executor_opts: { docker: { user: 'world' } },
    });
    expect(payload.cache[0]).toMatchObject({ key: 'world', paths: ['world'], policy: 'world' });
    expect(payload.artifacts[0]).toMatchObject({ name: 'world', artifact_type: ref, expire_in: 'world' });
    expect([payload.steps[0]?.script[0], payload.variables[0]?.value]).toEqual([ref, ref]);
  });
});
