import type { TomlEditor } from '../../config/edit/toml-editor.ts';
import { checkSavable, editConfigFile, keepTokenAside, saveTokenFile } from '../../config/save-config.ts';
import { ApiError, CommandError, errorMessage } from '../../lib/errors.ts';
import { shortToken } from '../../lib/short-token.ts';
import type { CommandEnvironment } from '../command-environment.ts';
import { type ConfiguredRunner, configuredRunners } from './chosen-runners.ts';
import { positionsOf } from './entries-in-file.ts';
import { type RunnerSession, type SessionOptions, tellMode, withRunnerSession } from './runner-session.ts';

export interface ResetTokenOptions extends SessionOptions {
  readonly name?: string;
  readonly url?: string;
  readonly id?: number;
  readonly allRunners?: boolean;
  /** Personal access token; absent = the runner's own token resets itself. */
  readonly pat?: string;
}

/** The zero time of the Go runner: the token never expires. */
const never = new Date('0001-01-01T00:00:00Z');

/** `reset-token`: gets new authentication tokens and stores them (spec commands.md §7). @returns the exit code */
export async function runResetToken(options: ResetTokenOptions, environment: CommandEnvironment): Promise<number> {
  return await withRunnerSession(options, environment, async (session) => {
    tellMode(session.logger);
    const all = await configuredRunners(session);
    if (options.allRunners === true) await resetAll(all, options, session);
    else await resetOne(chooseRunner(all, options), options, session);
    environment.stderr(`${timestamp()} Updated\n`);
  });
}

async function resetAll(
  all: readonly ConfiguredRunner[],
  options: ResetTokenOptions,
  session: RunnerSession,
): Promise<void> {
  session.logger.warn('Resetting all runner authentication tokens');
  for (const candidate of all) {
    try {
      await resetToken(candidate, options, session);
    } catch (error) {
      if (session.signal.aborted) throw error;
      const { name, token } = candidate.runner;
      const fields = { runner: shortToken(token), runner_name: name, error: errorMessage(error) };
      session.logger.error('Failed to reset runner authentication token', fields);
    }
  }
}

async function resetOne(chosen: ConfiguredRunner, options: ResetTokenOptions, session: RunnerSession): Promise<void> {
  try {
    await resetToken(chosen, options, session);
  } catch (error) {
    if (session.signal.aborted) throw error;
    throw new CommandError('Failed to reset runner authentication token', { cause: error });
  }
}

function chooseRunner(all: readonly ConfiguredRunner[], options: ResetTokenOptions): ConfiguredRunner {
  const { name = '', url = '', id = 0 } = options;
  const chosen = all.find(({ runner }) =>
    name === '' ? url !== '' && runner.url === url && runner.id === id : runner.name === name,
  );
  if (chosen !== undefined) return chosen;
  throw new CommandError("Couldn't get runner credentials", {
    cause: new CommandError(
      name === '' ? 'no runner has this url and id: choose one with --name, or --url and --id' : `no runner "${name}"`,
    ),
  });
}

/** Nothing is asked of GitLab before it is sure that the answer can be stored: the old token ends with the new one. */
async function resetToken(
  { runner, written }: ConfiguredRunner,
  options: ResetTokenOptions,
  session: RunnerSession,
): Promise<void> {
  const source = runner.tokenSource ?? { kind: 'literal' };
  if (source.kind === 'environment') {
    throw new CommandError('the token comes from an environment variable, where a new one cannot be stored', {
      hint: 'Reset it in GitLab and change the variable, or use token_file.',
    });
  }
  await checkSavable(session.path);
  if (source.kind === 'file') await checkSavable(source.path);
  const edit = async (editor: TomlEditor): Promise<void> => {
    const positions = positionsOf(editor, written);
    if (positions.length === 0) throw new CommandError('the runner is not in the config file any more');
    const renewed = await askForToken(runner, options, session);
    newToken = renewed.token;
    if (source.kind === 'file') await saveTokenFile(source.path, renewed.token, session.saving);
    for (const index of positions) {
      if (source.kind === 'literal') editor.set(['runners', index, 'token'], renewed.token);
      editor.set(['runners', index, 'token_obtained_at'], toSeconds(new Date()));
      editor.set(['runners', index, 'token_expires_at'], renewed.tokenExpiresAt ?? never);
    }
  };
  let newToken: string | undefined;
  try {
    await editConfigFile(session.path, session.saving, edit, session.signal);
  } catch (error) {
    if (newToken === undefined) throw error;
    const kept = await keepTokenAside(shortToken(newToken), newToken, session.saving);
    throw new CommandError(`the new token could not be stored: ${errorMessage(error)}`, {
      cause: error,
      hint: `It is in ${kept}: write it into the config file.`,
    });
  }
}

async function askForToken(
  runner: ConfiguredRunner['runner'],
  { pat }: ResetTokenOptions,
  session: RunnerSession,
): Promise<{ readonly token: string; readonly tokenExpiresAt: Date | null }> {
  if (pat !== undefined && runner.id === 0) {
    throw new ApiError('rejected', 'the runner has no id in the config file, and --pat needs it');
  }
  const request = pat === undefined ? { token: runner.token } : { personalAccessToken: pat, runnerId: runner.id };
  return await session.clients.clientFor(runner).resetToken(request, session.signal);
}

function toSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

function timestamp(): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())}`;
  return `${day} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}
