import { editToml } from '../../config/edit/toml-editor.ts';
import type { RunnerConfig } from '../../config/runner-config.ts';
import { editConfigFile } from '../../config/save-config.ts';
import { readConfigFile } from '../../platform/config-file.ts';
import { positionsOf, type WrittenEntry, writtenEntries } from './entries-in-file.ts';
import type { RunnerSession } from './runner-session.ts';

/** An entry of config.toml, as it is used and as it is written. */
export interface ConfiguredRunner {
  readonly runner: RunnerConfig;
  readonly written: WrittenEntry;
}

/** Every entry of config.toml. @throws ConfigError, StorageError */
export async function configuredRunners(session: RunnerSession): Promise<readonly ConfiguredRunner[]> {
  const { config } = await session.load();
  const editor = await editToml((await readConfigFile(session.path))?.text ?? '', session.path);
  const written = writtenEntries(editor);
  return config.runners.flatMap((runner, index) => {
    const entry = written[index];
    return entry === undefined ? [] : [{ runner, written: entry }];
  });
}

/** Takes entries out of config.toml. @returns whether the file was written. */
export async function removeEntries(session: RunnerSession, gone: readonly ConfiguredRunner[]): Promise<boolean> {
  if (gone.length === 0) return false;
  return await editConfigFile(
    session.path,
    session.saving,
    (editor) => {
      const positions = new Set(gone.flatMap(({ written }) => positionsOf(editor, written)));
      for (const index of [...positions].toSorted((a, b) => b - a)) editor.remove(['runners', index]);
    },
    session.signal,
  );
}
