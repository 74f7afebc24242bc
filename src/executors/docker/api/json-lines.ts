import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { DaemonError } from '../../../lib/errors.ts';
import { type ProgressLine, progressSchema } from './answers.ts';
import { chunksOf } from './frames.ts';

/** The JSON values of a stream, one per line. @throws DaemonError for a line that is none, or a broken connection. */
export async function* jsonLines(source: Readable): AsyncGenerator {
  const decoder = new StringDecoder('utf8');
  let text = '';
  for await (const chunk of chunksOf(source)) {
    text += decoder.write(chunk);
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield parseLine(line);
  }
  text += decoder.end();
  if (text.trim() !== '') yield parseLine(text);
}

/**
 * The lines of a pull, load, import or build.
 * @throws DaemonError `failed` with the text of a line that reports an error: the status of the answer is 200 by then.
 */
export async function* progressLines(source: Readable): AsyncGenerator<ProgressLine> {
  for await (const value of jsonLines(source)) {
    const parsed = progressSchema.safeParse(value);
    if (!parsed.success) continue;
    const complaint = parsed.data.errorDetail?.message ?? '';
    const message = complaint === '' ? parsed.data.error : complaint;
    if (message !== '') throw new DaemonError('failed', message);
    yield parsed.data;
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    throw new DaemonError('protocol', `the daemon sent a line that is no JSON: ${line.slice(0, 200)}`);
  }
}
