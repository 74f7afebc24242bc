import { isUtf8 } from 'node:buffer';
import type { FilePath } from '../platform/file-tree.ts';

/**
 * Names inside archives and trees are text here: valid UTF-8 as it is, and each byte that is not part of valid UTF-8
 * as a lone surrogate (U+DC80 to U+DCFF). So every name of every file system survives, byte for byte.
 */
export function pathText(name: string | Uint8Array): string {
  if (typeof name === 'string') return name;
  const bytes = Buffer.from(name.buffer, name.byteOffset, name.byteLength);
  return isUtf8(bytes) ? bytes.toString('utf8') : escapeInvalidBytes(bytes);
}

/** The bytes a name stands for. */
export function pathBytes(path: string): Buffer {
  if (path.isWellFormed()) return Buffer.from(path, 'utf8');
  const parts: Buffer[] = [];
  for (const character of path) {
    const code = character.codePointAt(0) ?? 0;
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character, 'utf8'));
  }
  return Buffer.concat(parts);
}

/** The path of a name below a directory, as the system takes it. */
export function pathBelow(root: string, path: string): FilePath {
  const joined = path === '.' ? root : `${root.endsWith('/') ? root : `${root}/`}${path}`;
  return joined.isWellFormed() ? joined : pathBytes(joined);
}

/** Sorts by the bytes of the paths. */
export function sortByPath<T extends { readonly path: string }>(entries: T[]): T[] {
  // Only from U+D800 on does the order of UTF-16 units differ from that of UTF-8 bytes.
  const isPlain = entries.every((entry) => !/[\ud800-\uffff]/.test(entry.path));
  if (isPlain) return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const keyed = entries.map((entry) => ({ entry, key: pathBytes(entry.path) }));
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ entry }) => entry);
}

function escapeInvalidBytes(bytes: Buffer): string {
  let text = '';
  let index = 0;
  while (index < bytes.length) {
    const length = validSequenceLength(bytes, index);
    text +=
      length === 0 ? String.fromCharCode(0xdc00 + (bytes[index] ?? 0)) : bytes.toString('utf8', index, index + length);
    index += Math.max(1, length);
  }
  return text;
}

function validSequenceLength(bytes: Buffer, index: number): number {
  const lead = bytes[index] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return index + length <= bytes.length && isUtf8(bytes.subarray(index, index + length)) ? length : 0;
}
