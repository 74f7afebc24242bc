import { join } from 'node:path';
import { executorTable } from '../../compose.ts';
import { discoverTlsFiles } from '../../config/discover-tls-files.ts';
import { expandEnvironment } from '../../config/expand-environment.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { editConfigFile } from '../../config/save-config.ts';
import type { CoordinatorTarget } from '../../gitlab/coordinator-clients.ts';
import { isCreatedInUi, type RegisteredRunner } from '../../gitlab/runner-registration.ts';
import { CommandError, errorMessage, MillraceError } from '../../lib/errors.ts';
import { hostName } from '../../platform/host-name.ts';
import { selfCommand } from '../../platform/self-command.ts';
import { systemClock } from '../../platform/system-clock.ts';
import type { CommandEnvironment } from '../command-environment.ts';
import type { LogOptions } from '../command-log.ts';
import { type Entry, ordered, textAt, valueAt, withValueAt } from './entry.ts';
import { entryForExecutor } from './executor-entries.ts';
import { askForExecutor } from './executor-questions.ts';
import { openQuestions, type Questions } from './questions.ts';
import { type RegisterCall, type RegisterSettings, readRegisterCall } from './registration-options.ts';
import { type RunnerSession, tellMode, withRunnerSession } from './runner-session.ts';
import { filledFromTemplate } from './template.ts';

/** The zero time of the Go runner: the token never expires. */
const never = new Date('0001-01-01T00:00:00Z');

/**
 * `register`: makes a runner known to GitLab and adds it to config.toml (spec commands.md §6).
 * @param given every use of every option.
 * @returns the exit code
 */
export async function runRegister(
  given: Readonly<Record<string, unknown>>,
  logOptions: LogOptions,
  environment: CommandEnvironment,
): Promise<number> {
  const call = readRegisterCall(given, environment.env);
  const { config } = call.settings;
  const options = config === undefined ? logOptions : { ...logOptions, config };
  return await withRunnerSession(options, environment, async (session) => {
    tellMode(session.logger);
    checkAccessLevel(call.settings);
    const questions = openQuestions(!call.settings.nonInteractive, environment.stderr);
    try {
      await register(call, questions, session);
    } finally {
      questions.close();
    }
  });
}

async function register(call: RegisterCall, questions: Questions, session: RunnerSession): Promise<void> {
  const { settings } = call;
  let { entry } = call;
  if (textAt(entry, 'name') === '') entry = withValueAt(entry, ['name'], hostName());
  if (settings.templateConfig !== '') {
    entry = await filledFromTemplate(entry, settings.templateConfig, call.fixed, session);
  }
  const loaded = await session.load();
  const known = await askForServer(entry, loaded, questions, session);
  const credentials = await authenticate(known, settings, loaded, questions, session);
  try {
    const answered = await askForExecutor(credentials.entry, questions, session, suggestedExecutor(loaded));
    const complete = ordered(entryForExecutor(answered, process.platform));
    await save(complete, session);
    tellSaved(complete, loaded, session);
  } catch (error) {
    await takeBack(credentials, settings, loaded, session);
    throw session.signal.aborted ? new CommandError('RECEIVED SIGNAL: interrupt', { cause: error }) : error;
  }
}

function checkAccessLevel({ accessLevel }: RegisterSettings): void {
  if (['', 'not_protected', 'ref_protected'].includes(accessLevel)) return;
  throw new CommandError(
    'Given access-level is not valid. Refer to gitlab-runner register -h for the correct options.',
  );
}

/** A person is offered the server of the last runner. */
async function askForServer(
  entry: Entry,
  { config }: LoadedConfig,
  questions: Questions,
  session: RunnerSession,
): Promise<Entry> {
  const question = {
    text: 'Enter the GitLab instance URL (for example, https://gitlab.com/):',
    key: 'url',
    known: textAt(entry, 'url'),
    suggestion: config.runners.at(-1)?.url ?? 'https://gitlab.com/',
  };
  return withValueAt(entry, ['url'], await questions.ask(question, session.signal));
}

function suggestedExecutor({ config }: LoadedConfig): string {
  return config.runners.at(-1)?.executor ?? 'shell';
}

interface Credentials {
  readonly entry: Entry;
  /** How GitLab is asked about the runner. */
  readonly target: CoordinatorTarget;
}

async function authenticate(
  entry: Entry,
  settings: RegisterSettings,
  loaded: LoadedConfig,
  questions: Questions,
  session: RunnerSession,
): Promise<Credentials> {
  const token = textAt(entry, 'token');
  if (token !== '' && !isCreatedInUi(token)) return await verifyOldToken(entry, token, loaded, session);
  if (token !== '') return await useAuthenticationToken(entry, token, settings, loaded, questions, session);
  const question = {
    text: 'Enter the registration token:',
    key: 'registration-token',
    known: settings.registrationToken,
    isSecret: true,
  };
  const answer = await questions.ask(question, session.signal);
  if (!isCreatedInUi(answer)) return await registerNew(entry, answer, settings, questions, session);
  return await useAuthenticationToken(entry, answer, settings, loaded, questions, session);
}

async function verifyOldToken(
  entry: Entry,
  token: string,
  loaded: LoadedConfig,
  session: RunnerSession,
): Promise<Credentials> {
  session.logger.info('Token specified trying to verify runner...');
  session.logger.warn("If you want to register use the '-r' instead of '-t'.");
  const target = await targetOf(entry, token, session);
  const request = { info: session.infoFor(), systemId: loaded.systemId };
  const result = await session.clients.clientFor(target).verify(request, session.signal);
  if (result.kind === 'removed') {
    throw new CommandError('Failed to verify the runner. You may be having network problems.');
  }
  return { entry: withTokenTimes(entry, { id: 0, token, tokenExpiresAt: null }), target };
}

async function useAuthenticationToken(
  entry: Entry,
  token: string,
  settings: RegisterSettings,
  loaded: LoadedConfig,
  questions: Questions,
  session: RunnerSession,
): Promise<Credentials> {
  warnOfDuplicate(token, loaded, session);
  checkServerSettings(token, settings, session);
  const target = await targetOf(entry, token, session);
  const request = { info: session.infoFor(), systemId: loaded.systemId };
  const result = await session.clients.clientFor(target).verify(request, session.signal);
  const runner = result.kind === 'valid' ? result.runner : undefined;
  if (runner === undefined || runner.id === 0) {
    throw new CommandError(
      'Failed to verify the runner.',
      result.kind === 'unknown' ? { cause: new CommandError(result.message) } : {},
    );
  }
  const question = {
    text: 'Enter a name for the runner. This is stored only in the local config.toml file:',
    key: 'name',
    known: textAt(entry, 'name'),
  };
  try {
    const name = await questions.ask(question, session.signal);
    return { entry: withTokenTimes(withValueAt(entry, ['name'], name), { ...runner, token }), target };
  } catch (error) {
    await takeBack({ target }, settings, loaded, session);
    throw session.signal.aborted ? new CommandError('RECEIVED SIGNAL: interrupt', { cause: error }) : error;
  }
}

function warnOfDuplicate(token: string, { config }: LoadedConfig, { logger }: RunnerSession): void {
  if (config.runners.some((runner) => runner.token === token)) {
    logger.warn('A runner with this system ID and token has already been registered.');
  }
}

/** Such runners are set up in GitLab; a token given the old way only brings a warning, for scripts of long ago. */
function checkServerSettings(token: string, settings: RegisterSettings, { logger }: RunnerSession): void {
  const { locked, accessLevel, runUntagged, maximumTimeout, paused, tagList, maintenanceNote } = settings;
  const isUntouched = locked && accessLevel === '' && !runUntagged && maximumTimeout === 0 && !paused && tagList === '';
  if (isUntouched && maintenanceNote === '') return;
  const what =
    '--locked, --access-level, --run-untagged, --maximum-timeout, --paused, --tag-list, and --maintenance-note';
  if (settings.registrationToken === token) {
    logger.warn(
      `This has not been registered with a registration token: the options ${what} are set in GitLab and ignored here`,
    );
    return;
  }
  throw new CommandError(
    `Runner configuration other than name and executor configuration is reserved (specifically ${what}) and cannot be specified when registering with a runner authentication token.`,
    { hint: 'Set these in GitLab, where the runner was created.' },
  );
}

async function registerNew(
  entry: Entry,
  registrationToken: string,
  settings: RegisterSettings,
  questions: Questions,
  session: RunnerSession,
): Promise<Credentials> {
  const { signal } = session;
  const description = await questions.ask(
    { text: 'Enter a description for the runner:', key: 'name', known: textAt(entry, 'name') },
    signal,
  );
  const tagList = await questions.ask(
    {
      text: 'Enter tags for the runner (comma-separated):',
      key: 'tag-list',
      known: settings.tagList,
      isOptional: true,
    },
    signal,
  );
  const maintenanceNote = await questions.ask(
    {
      text: 'Enter optional maintenance note for the runner:',
      key: 'maintenance-note',
      known: settings.maintenanceNote,
      isOptional: true,
    },
    signal,
  );
  session.logger.warn(
    "Support for registration tokens and runner parameters in the 'register' command has been deprecated in GitLab Runner 15.6 and will be replaced with support for authentication tokens. Create the runner in GitLab and use --token.",
  );
  const request = {
    info: session.infoFor(),
    registrationToken,
    description,
    maintenanceNote,
    tagList,
    runUntagged: settings.runUntagged,
    locked: settings.locked,
    accessLevel: settings.accessLevel,
    maximumTimeoutSeconds: settings.maximumTimeout,
    paused: settings.paused,
  };
  const runner = await registered(request, await targetOf(entry, '', session), session);
  const named = withValueAt(entry, ['name'], description);
  return { entry: withTokenTimes(named, runner), target: await targetOf(entry, runner.token, session) };
}

async function registered(
  request: Parameters<ReturnType<RunnerSession['clients']['clientFor']>['register']>[0],
  target: CoordinatorTarget,
  session: RunnerSession,
): Promise<RegisteredRunner> {
  try {
    return await session.clients.clientFor(target).register(request, session.signal);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    throw new CommandError('Failed to register the runner.', { cause: error });
  }
}

async function targetOf(entry: Entry, token: string, session: RunnerSession): Promise<CoordinatorTarget> {
  const url = expandEnvironment(textAt(entry, 'url'), session.environment.env);
  const named = {
    caFile: textAt(entry, 'tls-ca-file'),
    certFile: textAt(entry, 'tls-cert-file'),
    keyFile: textAt(entry, 'tls-key-file'),
  };
  return { url, token, tls: await discoverTlsFiles(named, url, join(session.defaultFolder, 'certs')) };
}

function withTokenTimes(entry: Entry, runner: RegisteredRunner): Entry {
  return {
    ...entry,
    id: runner.id,
    token: runner.token,
    token_obtained_at: new Date(Math.floor(Date.now() / 1000) * 1000),
    token_expires_at: runner.tokenExpiresAt ?? never,
  };
}

/** What was registered and cannot be written down is no use to anybody. */
async function takeBack(
  { target }: Pick<Credentials, 'target'>,
  { leaveRunner }: RegisterSettings,
  { systemId }: LoadedConfig,
  session: RunnerSession,
): Promise<void> {
  if (leaveRunner) return;
  try {
    // The command's own signal may be why this is done.
    await session.clients.clientFor(target).unregister({ systemId }, AbortSignal.timeout(10_000));
  } catch (error) {
    session.logger.error('The runner stays registered', { error: errorMessage(error) });
  }
}

async function save(entry: Entry, session: RunnerSession): Promise<void> {
  await editConfigFile(
    session.path,
    session.saving,
    (editor) => {
      if (editor.text() === '') {
        for (const key of ['concurrent', 'check_interval', 'shutdown_timeout']) {
          editor.set([key], key === 'concurrent' ? 1 : 0);
        }
        editor.set(['session_server', 'session_timeout'], 1800);
      }
      editor.append('runners', entry);
    },
    session.signal,
  );
}

function tellSaved(entry: Entry, { config }: LoadedConfig, session: RunnerSession): void {
  const { logger } = session;
  const { concurrent } = config;
  const rest = 'The global concurrent limit will not be increased and takes precedence.';
  const limit = Number(valueAt(entry, ['limit']) ?? 0);
  if (limit > concurrent) {
    logger.warn(
      `The specified runner job concurrency limit (${limit}) is larger than current global concurrency limit (${concurrent}). ${rest}`,
    );
  }
  const requests = Number(valueAt(entry, ['request_concurrency']) ?? 0);
  if (requests > concurrent) {
    logger.warn(
      `The specified runner request concurrency (${requests}) is larger than the current global concurrent limit (${concurrent}). ${rest}`,
    );
  }
  warnOfMissingExecutor(textAt(entry, 'executor'), session);
  logger.info(
    "Runner registered successfully. Feel free to start it, but if it's running already the config should be automatically reloaded!",
  );
  logger.info('');
  logger.info(`Configuration (with the authentication token) was saved in "${session.path}"`);
}

function warnOfMissingExecutor(executor: string, { environment, logger }: RunnerSession): void {
  const providers = executorTable({
    environment: environment.env,
    workingDirectory: environment.workingDirectory,
    selfCommand: selfCommand(),
    user: '',
    clock: systemClock(),
  });
  if (providers.has(executor)) return;
  logger.warn('This version has no such executor: the entry is written, and its runner takes no jobs yet', {
    executor,
  });
}
