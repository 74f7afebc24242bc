import { when } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import { quoteForPosix } from '../script/posix-quote.ts';

/** In the builds directory; its owner is who the job's files shall belong to. */
export const ownerFileName = '.gitlab-build-uid-gid';

/** Gives directories to the owner of the marker file, if there is one (spec job-execution.md §18, 11). */
export function planOwnership(
  rootDirectory: string,
  directories: readonly string[],
  announces: boolean,
): readonly ScriptOperation[] {
  const marker = `${rootDirectory}/${ownerFileName}`;
  const owner = `"$(stat -c '%u:%g' ${quoteForPosix(marker)})"`;
  return [
    when(
      { test: 'exists', path: marker },
      directories
        .filter((directory) => directory.trim() !== '')
        .map((directory) =>
          when({ test: 'isDirectory', path: directory }, [
            posixLine(`chown -R ${owner} ${quoteForPosix(directory)}`),
            ...(announces
              ? [posixLine(`echo ${quoteForPosix(`Setting ownership for ${directory} to`)} ${owner}`)]
              : []),
          ]),
        ),
    ),
  ];
}

function posixLine(text: string): ScriptOperation {
  return { op: 'verbatim', dialect: 'posix', text };
}
