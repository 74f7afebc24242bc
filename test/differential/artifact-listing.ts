import { gunzipSync } from 'node:zlib';

/** What an uploaded artifact holds, one line per entry: a ZIP archive's directory, or the plain content. */
export function artifactListing(filename: string, bytes: Buffer): readonly string[] {
  if (filename.endsWith('.zip')) return zipDirectory(bytes);
  const content = filename.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  return content.toString().replace(/\n$/, '').split('\n');
}

/** Mode, size, CRC and name of each entry, in the archive's order. */
function zipDirectory(bytes: Buffer): readonly string[] {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const entries: string[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameLength = bytes.readUInt16LE(at + 28);
    const mode = (bytes.readUInt32LE(at + 38) >>> 16).toString(8);
    const size = bytes.readUInt32LE(at + 24);
    const crc = bytes.readUInt32LE(at + 16).toString(16);
    entries.push(`${mode} ${size} ${crc} ${bytes.subarray(at + 46, at + 46 + nameLength).toString()}`);
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}
