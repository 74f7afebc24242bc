import { CommandError } from '../../lib/errors.ts';
import { parseGoDuration } from '../../lib/go-duration.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** One option of a helper command. The key in the definitions is the flag's name. */
export interface OptionDefinition<T> {
  readonly kind: 'text' | 'list' | 'switch' | 'integer' | 'duration';
  readonly help: string;
  readonly environment: string | undefined;
  readonly fallback: T;
  /** @throws CommandError for a value that cannot be read. */
  readonly parse: (text: string, flag: string) => T;
}

export type OptionDefinitions = Readonly<Record<string, OptionDefinition<unknown>>>;
export type OptionValues<D> = { readonly [K in keyof D]: D[K] extends OptionDefinition<infer T> ? T : never };

interface Settings<T> {
  readonly environment?: string;
  readonly fallback?: T;
}

export function textOption(help: string, settings: Settings<string> = {}): OptionDefinition<string> {
  return {
    kind: 'text',
    help,
    environment: settings.environment,
    fallback: settings.fallback ?? '',
    parse: (text) => text,
  };
}

/** May be given several times. */
export function listOption(
  help: string,
  settings: Pick<Settings<string>, 'environment'> = {},
): OptionDefinition<readonly string[]> {
  return { kind: 'list', help, environment: settings.environment, fallback: [], parse: (text) => [text] };
}

export function switchOption(help: string, settings: Settings<boolean> = {}): OptionDefinition<boolean> {
  return {
    kind: 'switch',
    help,
    environment: settings.environment,
    fallback: settings.fallback ?? false,
    parse: parseSwitch,
  };
}

export function integerOption(help: string, settings: Settings<number> = {}): OptionDefinition<number> {
  return {
    kind: 'integer',
    help,
    environment: settings.environment,
    fallback: settings.fallback ?? 0,
    parse: parseInteger,
  };
}

/** In milliseconds; written like `1h30m`. */
export function durationOption(help: string, settings: Settings<number> = {}): OptionDefinition<number> {
  return {
    kind: 'duration',
    help,
    environment: settings.environment,
    fallback: settings.fallback ?? 0,
    parse: parseDuration,
  };
}

/** Whether a text is one of the spellings of true (spec cache-artifacts.md, head). */
export function isTrue(text: string | undefined): boolean {
  return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text ?? '');
}

/** Whether a text is one of the spellings of false. */
export function isFalse(text: string | undefined): boolean {
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text ?? '');
}

/**
 * Reads a command line: `--name value`, `--name=value`, one dash as good as two. An option that is not given is taken
 * from its environment variable, where that is not empty.
 * @throws CommandError for an unknown option or a value that cannot be read.
 */
export function parseOptions<D extends OptionDefinitions>(
  definitions: D,
  argv: readonly string[],
  environment: Environment,
): { readonly options: OptionValues<D>; readonly rest: readonly string[] } {
  const { given, rest } = splitArguments(definitions, argv);
  const options: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries(definitions)) {
    const texts = given.get(name) ?? fromEnvironment(definition, environment);
    options[name] = texts === undefined ? definition.fallback : valueOf(definition, texts, name);
  }
  return { options: options as OptionValues<D>, rest };
}

function splitArguments(definitions: OptionDefinitions, argv: readonly string[]) {
  const given = new Map<string, string[]>();
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    const match = /^--?([^-=][^=]*)(?:=([^]*))?$/.exec(argument);
    if (argument === '--' || match === null) {
      rest.push(...argv.slice(argument === '--' ? index + 1 : index));
      break;
    }
    const [, name = '', attached] = match;
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (definition === undefined) throw new CommandError(`flag provided but not defined: -${name}`);
    let value = attached;
    if (value === undefined && definition.kind === 'switch') value = 'true';
    if (value === undefined) {
      index += 1;
      value = argv[index];
    }
    if (value === undefined) throw new CommandError(`flag needs an argument: -${name}`);
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return { given, rest };
}

function fromEnvironment(
  definition: OptionDefinition<unknown>,
  environment: Environment,
): readonly string[] | undefined {
  const value = definition.environment === undefined ? '' : (environment[definition.environment] ?? '');
  return value === '' ? undefined : [value];
}

function valueOf(definition: OptionDefinition<unknown>, texts: readonly string[], flag: string): unknown {
  if (definition.kind === 'list') return texts;
  return definition.parse(texts.at(-1) ?? '', flag);
}

function parseSwitch(text: string, flag: string): boolean {
  if (isTrue(text)) return true;
  if (isFalse(text)) return false;
  throw invalid(text, flag, 'true or false');
}

function parseInteger(text: string, flag: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw invalid(text, flag, 'a whole number');
  return value;
}

function parseDuration(text: string, flag: string): number {
  const value = parseGoDuration(text);
  if (value === undefined) throw invalid(text, flag, 'a duration like 10m or 1h30m');
  return value;
}

function invalid(text: string, flag: string, expected: string): CommandError {
  return new CommandError(`invalid value ${JSON.stringify(text)} for flag -${flag}: it must be ${expected}`);
}

/** One line per option, for the help text. */
export function describeOptions(definitions: OptionDefinitions): string {
  return Object.entries(definitions)
    .map(([name, { kind, help, environment }]) => {
      const flag = `--${name}${kind === 'switch' ? '' : ' value'}`;
      return `   ${flag.padEnd(36)}${help}${environment === undefined ? '' : ` [$${environment}]`}\n`;
    })
    .join('');
}
