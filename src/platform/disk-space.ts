import { statfs } from 'node:fs/promises';

/** Room on the disk that holds a path; undefined where the path cannot be seen from here. */
export async function diskSpace(
  path: string,
): Promise<{ readonly totalBytes: number; readonly freeBytes: number } | undefined> {
  try {
    const { bsize, blocks, bavail } = await statfs(path);
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
  } catch {
    return undefined;
  }
}
