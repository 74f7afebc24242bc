import { isMet, type Measurement, ratio, type Summary, summary, type Target } from './measurement.ts';

const header = ['figure', 'unit', 'ours min/median/max', 'peer min/median/max', 'ratio', 'wanted', 'met'];

/** The measurements as a Markdown table, columns aligned. */
export function table(measurements: readonly Measurement[]): string {
  const rows = [header, ...measurements.map(cells)];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1), ''].join('\n');
}

function cells(measurement: Measurement): readonly string[] {
  const { name, unit, ours, peer, target } = measurement;
  const met = isMet(measurement);
  return [
    name,
    unit,
    range(summary(ours)),
    range(summary(peer)),
    ratio(measurement)?.toFixed(2) ?? '',
    target === undefined ? '' : wanted(target),
    met === undefined ? '' : met ? 'yes' : 'NO',
  ];
}

function range(seen: Summary | undefined): string {
  return seen === undefined ? '' : [seen.min, seen.median, seen.max].map(short).join(' / ');
}

function short(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(3);
}

function wanted({ ratioAtMost, ratioAtLeast, oursAtMost }: Target): string {
  return [
    ratioAtMost === undefined ? '' : `≤ ${ratioAtMost} ×`,
    ratioAtLeast === undefined ? '' : `≥ ${ratioAtLeast} ×`,
    oursAtMost === undefined ? '' : `≤ ${oursAtMost}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}
