import { pathBytes } from '../archive-path.ts';
import { paddingOf, tarHeader } from '../tar/tar-header.ts';
import { roomFor } from './codec.ts';
import { contentRoom, readEntryInto } from './entry-source.ts';
import { decodeFacts, type PackedBatch, type PackTask } from './tasks.ts';
import type { WorkingSet } from './working-set.ts';

/** Packs small entries: tar headers and contents, compressed into one frame. */
export function packTar(task: PackTask, set: WorkingSet): PackedBatch {
  const problems: string[] = [];
  const room = task.paths.reduce((sum, _path, index) => sum + contentRoom(decodeFacts(task.facts, index)), 0);
  const contents = set.scratch(room);
  const parts: Buffer[] = [];
  let used = 0;
  for (const [index, path] of task.paths.entries()) {
    const facts = decodeFacts(task.facts, index);
    const size = readEntryInto(task.root, path, facts, contents.subarray(used), problems);
    if (size === undefined || facts.kind === 'special') continue;
    const content = contents.subarray(used, used + size);
    const isLink = facts.kind === 'symlink';
    const header = tarHeader({
      ...facts,
      kind: facts.kind,
      name: pathBytes(facts.kind === 'directory' ? `${path}/` : path),
      linkName: isLink ? content : Buffer.alloc(0),
      sizeBytes: isLink ? 0 : size,
    });
    parts.push(header);
    if (!isLink && size > 0) parts.push(content, Buffer.alloc(paddingOf(size)));
    used += size;
  }
  const raw = Buffer.concat(parts);
  const body = Buffer.allocUnsafeSlow(roomFor(raw.length));
  const bodyBytes = set.compressor('checkedZstd', task.compression.level).compress(raw, body, 0);
  return { body, bodyBytes, central: Buffer.alloc(0), entryCount: task.paths.length, problems };
}
