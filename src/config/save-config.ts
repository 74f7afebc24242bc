import { dirname, join } from 'node:path';
import { readConfigFile } from '../platform/config-file.ts';
import { lockFile } from '../platform/file-lock.ts';
import { makePrivateFolder } from '../platform/private-folder.ts';
import { probeReplaceable, replaceFile, targetOf } from '../platform/replace-file.ts';
import { editToml, type TomlEditor } from './edit/toml-editor.ts';

export interface SaveOptions {
  /** Folder of this account's state; locks and backups go below it where the file's own folder takes none. */
  readonly stateFolder: string;
}

/**
 * Edits config.toml under its lock: what another process wrote in the meantime is in the text that is edited. The file
 * is made, for its owner only, where it does not exist. Nothing is written when the edit changes nothing.
 * @param edit may ask others (a server) while the lock is held; throws to leave the file as it is.
 * @returns whether the file was written.
 * @throws ConfigError when the file is no TOML or cannot be edited; StorageError; the signal's reason.
 */
export async function editConfigFile(
  path: string,
  options: SaveOptions,
  edit: (editor: TomlEditor) => void | Promise<void>,
  signal: AbortSignal,
): Promise<boolean> {
  const target = await targetOf(path);
  makeFolderOf(target);
  const lock = await lockFile(target, join(options.stateFolder, 'locks'), signal);
  try {
    const before = await readConfigFile(target);
    const editor = await editToml(before?.text ?? '', path);
    await edit(editor);
    if (before !== undefined && editor.text() === before.text) return false;
    await replaceFile(target, editor.text(), join(options.stateFolder, 'backups'));
    return true;
  } finally {
    await lock.release();
  }
}

/**
 * Finds out whether config.toml (or a token file) can be saved, before something is changed that must be saved.
 * @throws StorageError
 */
export async function checkSavable(path: string): Promise<void> {
  await probeReplaceable(await targetOf(path));
}

/** Replaces a file that holds nothing but a token. @throws StorageError */
export async function saveTokenFile(path: string, token: string, options: SaveOptions): Promise<void> {
  await replaceFile(await targetOf(path), `${token}\n`, join(options.stateFolder, 'backups'));
}

function makeFolderOf(path: string): void {
  try {
    makePrivateFolder(dirname(path));
  } catch {
    // Said when the file is written.
  }
}

/**
 * Keeps a token that could not be stored where it belongs, so that it is not lost.
 * @returns the path of the file, which only its owner reads.
 * @throws StorageError
 */
export async function keepTokenAside(name: string, token: string, options: SaveOptions): Promise<string> {
  const path = join(options.stateFolder, 'backups', `token-${encodeURIComponent(name)}`);
  await replaceFile(path, `${token}\n`, join(options.stateFolder, 'backups'));
  return path;
}
