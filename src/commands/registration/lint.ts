import { dirname, resolve } from 'node:path';
import { lintConfig } from '../../config/lint/lint-config.ts';
import { CommandError } from '../../lib/errors.ts';
import { fileExists, readConfigFile } from '../../platform/config-file.ts';
import { isFeatureFlagName } from '../../variables/feature-flags.ts';
import type { CommandEnvironment } from '../command-environment.ts';
import { executorNames } from './executor-entries.ts';
import { type SessionOptions, withRunnerSession } from './runner-session.ts';

/**
 * `lint`: checks config.toml strictly; every mistake is a line `file:line:column: what` on standard error. Nothing is
 * made or changed. @returns the exit code
 */
export async function runLint(options: SessionOptions, environment: CommandEnvironment): Promise<number> {
  return await withRunnerSession(options, environment, async ({ path, logger }) => {
    const file = await readConfigFile(path);
    if (file === undefined) throw new CommandError(`config file not found: ${path}`);
    const problems = await lintConfig(file.text, path, {
      environment: environment.env,
      executors: executorNames,
      isFeatureFlag: isFeatureFlagName,
      fileExists: async (name) => await fileExists(resolve(dirname(path), name)),
    });
    if (problems.length === 0) {
      logger.info('Configuration file is valid.');
      return;
    }
    for (const { line, column, message } of problems) {
      environment.stderr(`${path}:${line}:${column}: ${message}\n`);
    }
    const unknown = problems.filter(({ isUnknownKey }) => isUnknownKey).length;
    if (unknown > 0)
      throw new CommandError(`${unknown} unknown key(s) found in ${path}`, problemCount(problems.length));
    throw new CommandError('config schema validation failed', problemCount(problems.length));
  });
}

function problemCount(count: number): { readonly cause: CommandError } {
  return { cause: new CommandError(count === 1 ? '1 problem' : `${count} problems`) };
}
