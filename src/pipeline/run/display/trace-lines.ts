import { StringDecoder } from 'node:string_decoder';

/** `<timestamp> <stream>` and whether the line goes on from the last one of its stream (job log with timestamps). */
const lineHeader = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ([0-9a-f]{2}[OE])([ +])/;
const sectionMarkers = /section_(?:start|end):\d+:[^\r\n]*\r(?:\x1b\[0K)?/g;
/** A line this long may go on in the next one. */
const splitLineLength = 8000;
/** Text without a line end that is no longer waited for. */
const longestLine = 64 * 1024;

/** Turns the bytes of a trace, cut anywhere, into lines for people. */
export interface TraceLines {
  /** Lines that are complete with these bytes. */
  push(bytes: Uint8Array): readonly string[];
  /** The last lines, complete or not. */
  end(): readonly string[];
}

/** Removes timestamps and section markers, joins continued lines, and keeps what is left of lines drawn over. */
export function createTraceLines(): TraceLines {
  const decoder = new StringDecoder('utf8');
  /** By stream: a line that may go on. */
  const held = new Map<string, string>();
  let rest = '';

  const flush = (stream: string, into: string[]): void => {
    const text = held.get(stream);
    if (text === undefined) return;
    held.delete(stream);
    const shown = visibleText(text);
    if (shown !== undefined) into.push(shown);
  };

  const take = (line: string, into: string[]): void => {
    const header = lineHeader.exec(line);
    const stream = header?.[1] ?? '';
    const content = header === null ? line : line.slice(header[0].length);
    if (header?.[2] !== '+') flush(stream, into);
    const whole = (held.get(stream) ?? '') + content;
    held.set(stream, overdrawn(whole));
    const mayGoOn = header !== null && (content.includes('\r') || content.length >= splitLineLength);
    if (!mayGoOn || whole.length > longestLine) flush(stream, into);
  };

  const split = (text: string): readonly string[] => {
    const lines: string[] = [];
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) take(part, lines);
    if (rest.length > longestLine && !lineHeader.test(rest)) {
      take(rest, lines);
      rest = '';
    }
    return lines;
  };

  return {
    push: (bytes) => split(decoder.write(Buffer.from(bytes))),
    end: () => {
      const lines = [...split(decoder.end())];
      if (rest !== '') take(rest, lines);
      rest = '';
      for (const stream of held.keys()) flush(stream, lines);
      return lines;
    },
  };
}

/** Forgets what carriage returns have drawn over, so that a progress bar does not pile up. */
function overdrawn(text: string): string {
  const unmarked = text.replace(sectionMarkers, '');
  const wasMarker = unmarked !== text;
  const lastReturn = unmarked.lastIndexOf('\r');
  const before = unmarked.lastIndexOf('\r', lastReturn - 1);
  const kept = before > 0 ? unmarked.slice(before + 1) : unmarked;
  return wasMarker && kept === '' ? markerOnly : kept;
}

/** Stands for a line that held nothing but markers; no line is shown for it. */
const markerOnly = '\u0000';

/** What is left of a line on a terminal; undefined where nothing was to be shown. */
function visibleText(text: string): string | undefined {
  const content = text.replaceAll(markerOnly, '');
  const parts = content.split('\r').filter((part) => part.replace(/\x1b\[\d*K/g, '') !== '');
  const last = parts.at(-1) ?? '';
  return last === '' && text.includes(markerOnly) ? undefined : last;
}
