import { describe, expect, it } from 'vitest';
import { durationOption, integerOption, listOption, parseOptions, switchOption, textOption } from './options.ts';

const definitions = {
  url: textOption('', { environment: 'URL' }),
  path: listOption(''),
  untracked: switchOption('', { environment: 'UNTRACKED' }),
  id: integerOption('', { environment: 'ID', fallback: 3 }),
  wait: durationOption('', { fallback: 1000 }),
};

function parse(argv: string[], environment: Record<string, string> = {}) {
  return parseOptions(definitions, argv, environment);
}

describe('parseOptions', () => {
  it('takes defaults, then the environment, then the command line', () => {
    expect(parse([]).options).toEqual({ url: '', path: [], untracked: false, id: 3, wait: 1000 });
    expect(parse([], { URL: 'u', UNTRACKED: 'T', ID: '7' }).options).toMatchObject({
      url: 'u',
      untracked: true,
      id: 7,
    });
    expect(parse([], { ID: '' }).options.id).toBe(3);
    expect(
      parse(['--url', '', '--id=9', '--untracked=false'], { URL: 'u', UNTRACKED: 'true', ID: '7' }).options,
    ).toMatchObject({
      url: '',
      id: 9,
      untracked: false,
    });
  });

  it('takes one dash, equal signs, repetitions and values that look like options', () => {
    const { options, rest } = parse([
      '-path',
      '--weird',
      '--path=a=b',
      '--untracked',
      '--wait',
      '1h30m',
      '--',
      '--x',
      'y',
    ]);
    expect(options).toMatchObject({ path: ['--weird', 'a=b'], untracked: true, wait: 5_400_000 });
    expect(rest).toEqual(['--x', 'y']);
  });

  it('ends at the first argument that is no option', () => {
    expect(parse(['a', '--id', '1']).rest).toEqual(['a', '--id', '1']);
    expect(parse(['-']).rest).toEqual(['-']);
  });

  it.each([
    [['--bogus'], 'flag provided but not defined: -bogus'],
    [['--url'], 'flag needs an argument: -url'],
    [['--id', 'x'], 'invalid value "x" for flag -id: it must be a whole number'],
    [['--wait', '5'], 'invalid value "5" for flag -wait: it must be a duration like 10m or 1h30m'],
    [['--untracked=yes'], 'invalid value "yes" for flag -untracked: it must be true or false'],
  ])('refuses %j', (argv, message) => {
    expect(() => parse(argv)).toThrow(message);
  });

  it('is not fooled by names of objects', () => {
    expect(() => parse(['--constructor', 'x'])).toThrow('not defined');
  });
});
