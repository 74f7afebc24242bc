import { type Command, InvalidArgumentError, Option } from 'commander';
import { CommandError, errorMessage } from '../../lib/errors.ts';
import { type Entry, withValueAt } from './entry.ts';
import { optionValue } from './option-texts.ts';
import { type RunnerOption, runnerOptions } from './runner-options.ts';

type Texts = Readonly<Record<string, string | undefined>>;

/** Options of `register` that are not keys of the entry. */
interface OwnOption {
  readonly key: keyof RegisterSettings;
  readonly flags: string;
  readonly variable: string | undefined;
  readonly kind: 'text' | 'flag' | 'integer';
  readonly description: string;
}

/** What `register` was called with, beside the keys of the entry (spec commands.md §6). */
export interface RegisterSettings {
  readonly config?: string;
  readonly templateConfig: string;
  readonly nonInteractive: boolean;
  readonly registrationToken: string;
  readonly leaveRunner: boolean;
  readonly tagList: string;
  readonly runUntagged: boolean;
  readonly locked: boolean;
  readonly accessLevel: string;
  readonly maximumTimeout: number;
  readonly paused: boolean;
  readonly maintenanceNote: string;
}

export interface RegisterCall {
  readonly settings: RegisterSettings;
  /** Keys that were given, with `url`, `token`, `name` and `executor`. */
  readonly entry: Entry;
  /** Keys that stood on the command line: a template does not change them. */
  readonly fixed: ReadonlySet<string>;
}

const ownOptions: readonly OwnOption[] = [
  {
    key: 'config',
    flags: '-c, --config <file>',
    variable: 'CONFIG_FILE',
    kind: 'text',
    description: 'config file that is written',
  },
  {
    key: 'templateConfig',
    flags: '--template-config <file>',
    variable: 'TEMPLATE_CONFIG_FILE',
    kind: 'text',
    description: 'config file with one [[runners]] entry that fills what is not given',
  },
  {
    key: 'nonInteractive',
    flags: '-n, --non-interactive [yes]',
    variable: 'REGISTER_NON_INTERACTIVE',
    kind: 'flag',
    description: 'ask nothing',
  },
  {
    key: 'registrationToken',
    flags: '-r, --registration-token <token>',
    variable: 'REGISTRATION_TOKEN',
    kind: 'text',
    description: 'registration token (deprecated: use --token)',
  },
  {
    key: 'leaveRunner',
    flags: '--leave-runner [yes]',
    variable: 'REGISTER_LEAVE_RUNNER',
    kind: 'flag',
    description: 'keep the runner in GitLab when a later step fails',
  },
  {
    key: 'tagList',
    flags: '--tag-list <tags>',
    variable: 'RUNNER_TAG_LIST',
    kind: 'text',
    description: 'tags, with commas between; only with a registration token',
  },
  {
    key: 'runUntagged',
    flags: '--run-untagged [yes]',
    variable: 'REGISTER_RUN_UNTAGGED',
    kind: 'flag',
    description: 'take jobs without tags; true where there are no tags; only with a registration token',
  },
  {
    key: 'locked',
    flags: '--locked [yes]',
    variable: 'REGISTER_LOCKED',
    kind: 'flag',
    description: 'lock the runner to its project; default true; only with a registration token',
  },
  {
    key: 'accessLevel',
    flags: '--access-level <level>',
    variable: 'REGISTER_ACCESS_LEVEL',
    kind: 'text',
    description: 'not_protected or ref_protected; only with a registration token',
  },
  {
    key: 'maximumTimeout',
    flags: '--maximum-timeout <seconds>',
    variable: 'REGISTER_MAXIMUM_TIMEOUT',
    kind: 'integer',
    description: 'longest time of a job; only with a registration token',
  },
  {
    key: 'paused',
    flags: '--paused [yes]',
    variable: 'REGISTER_PAUSED',
    kind: 'flag',
    description: 'take no jobs yet; only with a registration token',
  },
  {
    key: 'maintenanceNote',
    flags: '--maintenance-note <text>',
    variable: 'REGISTER_MAINTENANCE_NOTE',
    kind: 'text',
    description: 'note for administrators; only with a registration token',
  },
];

const shortNames: Readonly<Record<string, string>> = { url: '-u, ', token: '-t, ' };

/** Gives the command every option: its own and one for each key of `[[runners]]` that can be set so. */
export function addRegisterOptions(command: Command): void {
  for (const { flags, description, variable } of ownOptions) {
    command.addOption(collecting(flags, description, variable));
  }
  for (const option of runnerOptions()) {
    for (const [index, flag] of option.flags.entries()) {
      const short = index === 0 ? (shortNames[flag] ?? '') : '';
      const value = option.kind === 'flag' ? '[yes]' : `<${placeholders[option.kind]}>`;
      const description = index === 0 ? option.description : `the same as --${option.flags[0]}`;
      command.addOption(collecting(`${short}--${flag} ${value}`, description, option.variable));
    }
  }
}

const placeholders: Readonly<Record<Exclude<RunnerOption['kind'], 'flag'>, string>> = {
  text: 'text',
  integer: 'number',
  decimal: 'number',
  duration: 'duration',
  list: 'text...',
  integers: 'number...',
  map: 'key:value...',
  json: 'JSON',
};

/** Every use of an option is kept; what it means is decided when all are known. */
function collecting(flags: string, description: string, variable: string | undefined): Option {
  // Several values are several uses: a following word is never swallowed.
  const single = flags.replace('...>', '>');
  const shown = variable === undefined ? description : `${description} [$${variable}]`.trim();
  return new Option(single, shown).argParser((text: string, previous: readonly string[] | undefined) => [
    ...(previous ?? []),
    text,
  ]);
}

/**
 * What the command line and the environment say; the command line goes first, and lists begin with the environment's.
 * @param given of the command: every use of every option.
 * @throws CommandError that names the option.
 */
export function readRegisterCall(given: Readonly<Record<string, unknown>>, environment: Texts): RegisterCall {
  const settings: Record<string, unknown> = { ...defaults };
  for (const { key, flags, variable, kind } of ownOptions) {
    const texts = [...fromEnvironment(variable, environment), ...usesOf(given, key)];
    if (texts.length === 0) continue;
    const flag = /--([\w-]+)/.exec(flags)?.[1] ?? key;
    settings[key] = parsed(flag, () => optionValue(plainOption(flag, kind), texts));
  }
  let entry: Entry = {};
  const fixed = new Set<string>();
  for (const option of runnerOptions()) {
    const uses = option.flags.flatMap((flag) => usesOf(given, attributeOf(flag)));
    const texts = [...fromEnvironment(option.variable, environment), ...uses];
    if (texts.length === 0) continue;
    if (uses.length > 0) fixed.add(option.path.join('.'));
    const isAdding = option.kind === 'list' || option.kind === 'map' || option.kind === 'integers';
    const used = isAdding || uses.length === 0 ? texts : uses;
    const value = parsed(option.flags[0] ?? '', () => optionValue(option, used));
    entry = withValueAt(entry, option.path, value);
  }
  return { settings: settings as unknown as RegisterSettings, entry, fixed };
}

const defaults: RegisterSettings = {
  templateConfig: '',
  nonInteractive: false,
  registrationToken: '',
  leaveRunner: false,
  tagList: '',
  runUntagged: false,
  locked: true,
  accessLevel: '',
  maximumTimeout: 0,
  paused: false,
  maintenanceNote: '',
};

function plainOption(flag: string, kind: OwnOption['kind']): RunnerOption {
  return { path: [flag], flags: [flag], variable: undefined, kind, valueKind: 'text', description: '' };
}

function fromEnvironment(variable: string | undefined, environment: Texts): readonly string[] {
  const text = variable === undefined ? undefined : environment[variable];
  return text === undefined || text === '' ? [] : [text];
}

function usesOf(given: Readonly<Record<string, unknown>>, attribute: string): readonly string[] {
  const uses = given[attribute];
  // A switch without a value.
  if (uses === true) return ['true'];
  return Array.isArray(uses) ? uses.map(String) : [];
}

/** As commander names the value of an option. */
function attributeOf(flag: string): string {
  return flag.split('-').reduce((name, word) => `${name}${word.charAt(0).toUpperCase()}${word.slice(1)}`);
}

function parsed<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new CommandError(`--${flag}: ${errorMessage(error)}`);
  }
}
