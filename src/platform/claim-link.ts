import { readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { systemErrorCode } from '../lib/errors.ts';

/** A claim is a symbolic link that says who made it: made in one step, with its content, by one of many. */

/**
 * @returns whether nobody has it yet, and now `owner` does.
 * @throws the system's error when no link can be made.
 */
export function makeClaim(path: string, owner: string): boolean {
  try {
    symlinkSync(owner, path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Who has a claim; undefined = nobody. */
export function claimOwner(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Takes a claim away; one that is gone already is fine. */
export function removeClaim(path: string): void {
  rmSync(path, { force: true });
}

/** Names of the claims in a folder; none if it does not exist. */
export function claimsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
