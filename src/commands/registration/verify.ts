import { CommandError } from '../../lib/errors.ts';
import type { CommandEnvironment } from '../command-environment.ts';
import { type ConfiguredRunner, configuredRunners, removeEntries } from './chosen-runners.ts';
import { type RunnerSession, type SessionOptions, tellMode, tellUpdated, withRunnerSession } from './runner-session.ts';

export interface VerifyOptions extends SessionOptions {
  readonly name?: string;
  readonly url?: string;
  readonly token?: string;
  readonly delete?: boolean;
}

/** `verify`: asks GitLab whether it knows the runners of config.toml (spec commands.md §7). @returns the exit code */
export async function runVerify(options: VerifyOptions, environment: CommandEnvironment): Promise<number> {
  return await withRunnerSession(options, environment, async (session) => {
    tellMode(session.logger);
    const chosen = chooseRunners(await configuredRunners(session), options);
    const refused: ConfiguredRunner[] = [];
    for (const candidate of chosen) {
      if (await isRefused(candidate, session)) refused.push(candidate);
    }
    if (refused.length === 0) return;
    if (options.delete !== true) throw new CommandError('Failed to verify runners');
    if (await removeEntries(session, refused)) tellUpdated(session);
  });
}

/** A token goes with a url where both name one; an empty option chooses nothing. */
function chooseRunners(all: readonly ConfiguredRunner[], options: VerifyOptions): readonly ConfiguredRunner[] {
  const { name = '', url = '', token = '' } = options;
  if (name === '' && url === '' && token === '') return all;
  const isAny = (text: string): boolean => text === '' || text === '*';
  const chosen = all.filter(({ runner }) => {
    if (name !== '' && runner.name === name) return true;
    return token !== '' && runner.token === token && (isAny(url) || isAny(runner.url) || runner.url === url);
  });
  if (chosen.length === 0) throw new CommandError('no runner matches the filtering parameters');
  return chosen;
}

async function isRefused({ runner }: ConfiguredRunner, session: RunnerSession): Promise<boolean> {
  const client = session.clients.clientFor(runner);
  const request = { info: session.infoFor(runner), systemId: runner.systemId };
  return (await client.verify(request, session.signal)).kind === 'removed';
}
