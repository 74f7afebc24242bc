/** One emitted line of a trace with timestamps (spec job-execution.md §14). */
interface TraceLine {
  /** `00O` manager, `01O` and `01E` the stage's output. */
  readonly stream: string;
  readonly isContinued: boolean;
  readonly text: string;
}

/** Where the next thing begins on a section marker's line. */
const afterMarker = /(?<=section_(?:start|end):\d+:[^\r]*\r\x1b\[0K)(?=.)/;

const header = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ([0-9a-f]{2}[OE])([ +])/;

/**
 * A trace as lines that two runners can agree on: per section what the manager wrote, then the stage's standard
 * output, then its standard error. The order between the two is not promised.
 * A line is `<stream> <text>`; control characters are spelled out.
 */
export function traceBlocks(trace: string): readonly string[] {
  const blocks: string[] = [];
  let pending = new Map<string, string[]>();
  const flush = (): void => {
    for (const stream of ['01O', '01E', '0fO']) {
      const text = pending.get(stream)?.join('') ?? '';
      if (text !== '') for (const line of text.split('\n')) blocks.push(`${stream} ${spelled(line)}`);
    }
    pending = new Map();
  };
  for (const { stream, isContinued, text } of joinedManagerLines(parse(trace))) {
    if (stream === '00O') {
      flush();
      blocks.push(...text.split(afterMarker).map((part) => `00O ${spelled(part)}`));
      continue;
    }
    const before = pending.get(stream);
    if (before === undefined) pending.set(stream, [text]);
    else before.push(isContinued ? text : `\n${text}`);
  }
  flush();
  return blocks;
}

/** A trace without timestamps, as it is. */
export function plainLines(trace: string): readonly string[] {
  return trace.split('\n').map(spelled);
}

function parse(trace: string): readonly TraceLine[] {
  return trace
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const match = header.exec(line);
      if (match === null) return { stream: '???', isContinued: false, text: line };
      return { stream: match[1] ?? '', isContinued: match[2] === '+', text: line.slice(match[0].length) };
    });
}

function joinedManagerLines(lines: readonly TraceLine[]): readonly TraceLine[] {
  const joined: TraceLine[] = [];
  for (const line of lines) {
    const last = joined.at(-1);
    if (line.stream === '00O' && line.isContinued && last?.stream === '00O') {
      joined[joined.length - 1] = { ...last, text: last.text + line.text };
    } else joined.push(line);
  }
  return joined;
}

function spelled(text: string): string {
  return text.replaceAll('\x1b', String.raw`\e`).replaceAll('\r', String.raw`\r`).replaceAll('\0', String.raw`\0`);
}
