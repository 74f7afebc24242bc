import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomHex } from '../../../src/platform/random.ts';

/** A path that does not exist yet; the provider removes what it makes there. */
export function newScratchFolder(): string {
  return join(tmpdir(), `executor-contract-shells-${process.pid}-${randomHex(4)}`);
}
