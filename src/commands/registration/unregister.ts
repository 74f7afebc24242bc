import { ApiError, CommandError } from '../../lib/errors.ts';
import type { CommandEnvironment } from '../command-environment.ts';
import { type ConfiguredRunner, configuredRunners, removeEntries } from './chosen-runners.ts';
import { type RunnerSession, type SessionOptions, tellMode, tellUpdated, withRunnerSession } from './runner-session.ts';

export interface UnregisterOptions extends SessionOptions {
  readonly name?: string;
  readonly url?: string;
  readonly token?: string;
  readonly allRunners?: boolean;
}

/** `unregister`: removes runners in GitLab and in config.toml (spec commands.md §7). @returns the exit code */
export async function runUnregister(options: UnregisterOptions, environment: CommandEnvironment): Promise<number> {
  return await withRunnerSession(options, environment, async (session) => {
    tellMode(session.logger);
    const all = await configuredRunners(session);
    const gone =
      options.allRunners === true ? await unregisterAll(all, session) : await unregisterOne(all, options, session);
    if (await removeEntries(session, gone)) tellUpdated(session);
  });
}

async function unregisterAll(
  all: readonly ConfiguredRunner[],
  session: RunnerSession,
): Promise<readonly ConfiguredRunner[]> {
  session.logger.warn('Unregistering all runners');
  const gone: ConfiguredRunner[] = [];
  for (const candidate of all) {
    const isKnownGone = gone.some((other) => isSameRunner(other, candidate));
    if (isKnownGone || (await isUnregistered(candidate, session))) gone.push(candidate);
  }
  if (gone.length < all.length) session.logger.error('Failed to unregister runners');
  return gone;
}

async function unregisterOne(
  all: readonly ConfiguredRunner[],
  options: UnregisterOptions,
  session: RunnerSession,
): Promise<readonly ConfiguredRunner[]> {
  const chosen = chooseRunner(all, options);
  if (!(await isUnregistered(chosen, session))) throw new CommandError('failed to unregister runner');
  return all.filter((other) => isSameRunner(other, chosen));
}

function chooseRunner(all: readonly ConfiguredRunner[], options: UnregisterOptions): ConfiguredRunner {
  const { name = '', url = '', token = '' } = options;
  if (name === '' && token === '' && url === '') {
    throw new CommandError('failed to unregister runner', {
      cause: new CommandError('at least one of --name or --token must be specified'),
    });
  }
  const matching = all.filter(
    ({ runner }) => (name === '' || runner.name === name) && (token === '' || runner.token === token),
  );
  const atUrl = matching.filter(({ runner }) => url === '' || runner.url === url);
  const [chosen] = atUrl;
  const isClear = name !== '' || token !== '' || atUrl.length === 1;
  if (chosen !== undefined && isClear) return chosen;
  if (chosen !== undefined) {
    throw new CommandError('failed to unregister runner', {
      cause: new CommandError('several runners have this url: name one with --name or --token'),
    });
  }
  const what = [
    ...(url === '' ? [] : ['this url']),
    ...(name === '' ? [] : [`name "${name}"`]),
    ...(token === '' ? [] : ['this token']),
  ].join(' and ');
  throw new CommandError('failed to unregister runner', {
    cause: new CommandError(`could not find a runner with ${what}`),
  });
}

function isSameRunner(left: ConfiguredRunner, right: ConfiguredRunner): boolean {
  return left.runner.url === right.runner.url && left.runner.token === right.runner.token;
}

/** Why not stands in the log. */
async function isUnregistered({ runner }: ConfiguredRunner, session: RunnerSession): Promise<boolean> {
  try {
    await session.clients.clientFor(runner).unregister({ systemId: runner.systemId }, session.signal);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.kind === 'unreachable' || error.kind === 'protocol') {
      session.logger.error('Unregistering runner from GitLab failed', { status: error.message });
    }
    return false;
  }
}
