import { plainTrace } from './runner-bench.ts';

/** The plain lines of one section (`step_script`) of a trace, without its title; throws unless it is there once. */
export function sectionLines(trace: Buffer | string, section: string): readonly string[] {
  const text = trace.toString();
  const starts = [...text.matchAll(new RegExp(`section_start:\\d+:${section}\\r`, 'g'))];
  const ends = [...text.matchAll(new RegExp(`section_end:\\d+:${section}\\r`, 'g'))];
  if (starts.length !== 1 || ends.length !== 1) {
    throw new Error(`section ${section}: ${starts.length} starts and ${ends.length} ends in\n${text}`);
  }
  // From the line of the first mark to the line before the second one's: a mark stands behind the line's header.
  const from = text.lastIndexOf('\n', starts[0]?.index) + 1;
  const to = text.lastIndexOf('\n', ends[0]?.index) + 1;
  return plainTrace(text.slice(from, to)).split('\n').slice(1, -1);
}

/** Ids of the sections of a trace, in order; throws when they are not properly begun and ended. */
export function sectionNames(trace: Buffer | string): readonly string[] {
  const names: string[] = [];
  let open: string | undefined;
  for (const [, kind, name = ''] of trace.toString().matchAll(/section_(start|end):\d+:([^\r[]*)/g)) {
    if (kind === 'start' ? open !== undefined : open !== name) throw new Error(`section ${kind} ${name} in ${open}`);
    open = kind === 'start' ? name : undefined;
    if (kind === 'start') names.push(name);
  }
  if (open !== undefined) throw new Error(`section ${open} has no end`);
  return names;
}
