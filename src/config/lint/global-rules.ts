import { parseGoDuration } from '../../lib/go-duration.ts';
import { parseLogFormat, parseLogLevel } from '../../observability/log-format.ts';
import type { TomlNode } from '../toml-document.ts';
import { checkNumber, checkText, type Finding, itemsOf, memberOf } from './findings.ts';

const labelKey = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{2,64}$/;
const labelValue = /^[a-zA-Z0-9._-]{1,256}$/;
const mostLabels = 32;
const writers = ['logrotate', 'snowplow_billing'];

/** What the keys at the top of config.toml have to hold (spec config.md §5, §14). */
export function globalProblems(document: TomlNode): readonly Finding[] {
  const session = memberOf(document, 'session_server');
  const isAddress = (text: string): boolean => !/^[a-z]+:\/\//i.test(text);
  const noScheme = 'is an address like host:port, without a scheme';
  return [
    ...checkNumber(memberOf(document, 'concurrent'), 'concurrent', (value) => value >= 1, 'must be at least 1'),
    ...checkNumber(memberOf(document, 'check_interval'), 'check_interval', isNotNegative, 'is negative'),
    ...checkNumber(memberOf(document, 'shutdown_timeout'), 'shutdown_timeout', isNotNegative, 'is negative'),
    ...checkText(
      memberOf(document, 'log_level'),
      'log_level',
      (text) => parseLogLevel(text) !== undefined,
      'is no log level',
    ),
    ...checkText(
      memberOf(document, 'log_format'),
      'log_format',
      (text) => parseLogFormat(text) !== undefined,
      'is no log format',
    ),
    ...checkText(
      memberOf(document, 'connection_max_age'),
      'connection_max_age',
      (text) => (parseGoDuration(text) ?? 0) >= 0,
      'is negative',
    ),
    ...checkText(memberOf(document, 'listen_address'), 'listen_address', isAddress, noScheme),
    ...checkText(memberOf(session, 'listen_address'), 'session_server.listen_address', isAddress, noScheme),
    ...checkText(memberOf(session, 'advertise_address'), 'session_server.advertise_address', isAddress, noScheme),
    ...labelProblems(memberOf(document, 'labels'), 'labels', 0),
    ...itemsOf(memberOf(document, 'experimental', 'usage_logger', 'writers')).flatMap((node) =>
      checkText(node, 'experimental.usage_logger.writers', (text) => writers.includes(text), 'is no writer'),
    ),
  ];
}

/** @param inherited how many labels the entry gets from the global ones. */
export function labelProblems(labels: TomlNode | undefined, key: string, inherited: number): readonly Finding[] {
  if (labels?.kind !== 'table') return [];
  const tooMany = labels.entries.size + inherited > mostLabels;
  return [
    ...(tooMany
      ? [{ at: labels.at, message: `${key}: exceeded maximum computed labels number of ${mostLabels}` }]
      : []),
    ...[...labels.entries].flatMap(([name, value]) => [
      ...(labelKey.test(name)
        ? []
        : [{ at: labels.keyPositions?.get(name) ?? value.at, message: `${key}: invalid label key: ${name}` }]),
      ...checkText(value, `${key}.${name}`, (text) => labelValue.test(text), 'is no label value'),
    ]),
  ];
}

export function isNotNegative(value: number): boolean {
  return value >= 0;
}
