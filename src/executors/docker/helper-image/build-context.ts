import { Readable } from 'node:stream';
import { openFileToRead, type ReadableFile } from '../../../platform/file-reading.ts';
import { collectRootScript, entrypointScript, helperDockerfile, managerDockerfile } from './recipe.ts';
import { fileHeader, tarEnd, tarPadding } from './tar-stream.ts';

/** `helper` runs next to jobs, `manager` serves runners. */
export type ImageKind = 'helper' | 'manager';

/** The folder of an image's build, as a stream: the recipe and this program. */
export async function buildContext(kind: ImageKind, selfCommand: readonly string[]): Promise<Readable> {
  const program = await programFiles(selfCommand);
  const dockerfile = kind === 'helper' ? helperDockerfile : managerDockerfile;
  return Readable.from(
    tarStream([
      { path: 'Dockerfile', mode: 0o644, content: dockerfile },
      { path: 'collect-root.sh', mode: 0o755, content: collectRootScript },
      { path: 'entrypoint.sh', mode: 0o755, content: entrypointScript },
      ...program,
    ]),
    { objectMode: false },
  );
}

interface ContextFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string | ReadableFile;
}

const PROGRAM = 'program/gitlab-runner-helper';

/** The one file of a release; else Node, our main file, and a script that brings them together. */
async function programFiles(selfCommand: readonly string[]): Promise<readonly ContextFile[]> {
  const [file = '', main] = selfCommand;
  if (main === undefined) return [{ path: PROGRAM, mode: 0o755, content: await openFileToRead(file) }];
  const start = '#!/bin/sh\nexec /usr/bin/millrace-node /usr/bin/millrace.cjs "$@"\n';
  return [
    { path: PROGRAM, mode: 0o755, content: start },
    { path: 'program/millrace-node', mode: 0o755, content: await openFileToRead(file) },
    { path: 'program/millrace.cjs', mode: 0o755, content: await openFileToRead(main) },
  ];
}

async function* tarStream(files: readonly ContextFile[]): AsyncGenerator<Uint8Array> {
  for (const { path, mode, content } of files) {
    const size = typeof content === 'string' ? Buffer.byteLength(content) : content.sizeBytes;
    yield fileHeader(path, mode, size);
    if (typeof content === 'string') yield Buffer.from(content);
    else yield* content.read() as AsyncIterable<Uint8Array>;
    yield tarPadding(size);
  }
  yield tarEnd();
}
