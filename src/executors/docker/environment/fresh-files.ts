import type { ScriptOperation } from '../../../script/operations.ts';
import { performPlainWork } from '../../../script/perform-plain-work.ts';
import { isPlainFileWork } from '../../../script/plain-file-work.ts';
import type { TarEntry } from '../stage/tar.ts';

/**
 * Plain work on a build folder that is on a volume of this job alone: it is empty at first and goes with the job. So
 * nothing has to be removed, and what is to be made is gathered, for the daemon to unpack.
 */
export class FreshFiles {
  readonly entries: TarEntry[] = [];
  readonly #hostName: string;
  readonly #root: string;

  /** @param root the only folder in which anything is made */
  constructor(hostName: string, root: string) {
    this.#hostName = hostName;
    this.#root = root;
  }

  /** @returns what a script would have printed; undefined = a script has to do it. */
  async perform(operations: readonly ScriptOperation[]): Promise<string | undefined> {
    if (!isPlainFileWork(operations)) return undefined;
    const lines: string[] = [];
    await performPlainWork(
      operations,
      {
        hostName: () => this.#hostName,
        kindOf: async () => 'absent',
        makeFolder: async (path) => this.#makeFolder(path),
        removeFile: async () => {},
        removeFolder: async () => {},
        writeFile: async (path, content) => {
          this.#makeFolder(path.slice(0, path.lastIndexOf('/')));
          this.entries.push({ path: path.slice(1), mode: 0o666, content });
        },
      },
      (line) => lines.push(`${line}\n`),
    );
    return lines.join('');
  }

  /** With the folders above it, open to every account as the helper's are. */
  #makeFolder(path: string): void {
    const below = path
      .slice(this.#root.length)
      .split('/')
      .filter((part) => part !== '');
    const folders = below.map((_, index) => [this.#root, ...below.slice(0, index + 1)].join('/'));
    for (const folder of [this.#root, ...folders]) this.entries.push({ path: `${folder.slice(1)}/`, mode: 0o777 });
  }
}
