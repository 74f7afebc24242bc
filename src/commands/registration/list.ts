import type { LoadedConfig } from '../../config/load-config.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { CommandEnvironment } from '../command-environment.ts';
import { type SessionOptions, withRunnerSession } from './runner-session.ts';

/** `list`: one line per entry of config.toml. @returns the exit code */
export async function runList(options: SessionOptions, environment: CommandEnvironment): Promise<number> {
  return await withRunnerSession(options, environment, async (session) => {
    const { logger, path } = session;
    let loaded: LoadedConfig;
    try {
      loaded = await session.load();
    } catch (error) {
      logger.warn(errorMessage(error));
      return;
    }
    logger.info('Listing configured runners', { ConfigFile: path });
    for (const { name, executor, token, url } of loaded.config.runners) {
      logger.info(name, { Executor: executor, Token: token, URL: url });
    }
  });
}
