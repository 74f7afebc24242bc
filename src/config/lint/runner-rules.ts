import { expandEnvironment } from '../expand-environment.ts';
import type { TomlNode } from '../toml-document.ts';
import { checkNumber, checkText, type Finding, itemsOf, listed, memberOf, oneOf, textOf } from './findings.ts';
import { isNotNegative, labelProblems } from './global-rules.ts';
import type { LintFacts } from './lint-config.ts';
import { tableProblems } from './table-rules.ts';

const shells = ['bash', 'sh', 'cmd', 'pwsh', 'powershell', ''];

/** What every `[[runners]]` entry has to hold (spec config.md §5, §15). */
export async function runnerProblems(document: TomlNode, facts: LintFacts): Promise<readonly Finding[]> {
  const globalLabels = memberOf(document, 'labels');
  const names = globalLabels?.kind === 'table' ? [...globalLabels.entries.keys()] : [];
  const findings = await Promise.all(
    itemsOf(memberOf(document, 'runners')).map(async (runner) => [
      ...urlProblems(runner, facts),
      ...(await tokenProblems(runner, facts)),
      ...settingProblems(runner, facts),
      ...labelProblems(memberOf(runner, 'labels'), 'runners.labels', inheritedLabels(runner, names)),
      ...tableProblems(runner),
    ]),
  );
  return findings.flat();
}

function inheritedLabels(runner: TomlNode, globalNames: readonly string[]): number {
  return globalNames.filter((name) => memberOf(runner, 'labels', name) === undefined).length;
}

function urlProblems(runner: TomlNode, { environment }: LintFacts): readonly Finding[] {
  const node = memberOf(runner, 'url');
  const url = expandEnvironment(textOf(node) ?? '', environment);
  if (node === undefined || url === '')
    return [{ at: (node ?? runner).at, message: 'runners.url: is missing or empty' }];
  const parsed = URL.parse(url);
  if (parsed === null) return [{ at: node.at, message: 'runners.url: cannot be read as a URL' }];
  if (parsed.protocol === 'http:' || parsed.protocol === 'https:') {
    return /\/ci\/*$/.test(url)
      ? [{ at: node.at, message: 'runners.url: the /ci at the end is not needed any more' }]
      : [];
  }
  return [{ at: node.at, message: 'runners.url: only http or https scheme supported' }];
}

async function tokenProblems(runner: TomlNode, facts: LintFacts): Promise<readonly Finding[]> {
  const node = memberOf(runner, 'token');
  const token = expandEnvironment(textOf(node) ?? '', facts.environment).trim();
  const fileNode = memberOf(runner, 'token_file');
  const file = textOf(fileNode) ?? '';
  if (fileNode !== undefined && file !== '') {
    if ((textOf(node) ?? '') !== '') return [{ at: fileNode.at, message: 'runners.token_file: token is set too' }];
    const exists = await facts.fileExists(file);
    return exists ? [] : [{ at: fileNode.at, message: `runners.token_file: ${file} does not exist` }];
  }
  return token === '' ? [{ at: (node ?? runner).at, message: 'runners.token: is missing or empty' }] : [];
}

function settingProblems(runner: TomlNode, facts: LintFacts): readonly Finding[] {
  const executor = memberOf(runner, 'executor');
  const flags = memberOf(runner, 'feature_flags');
  const missing = executor === undefined ? [{ at: runner.at, message: 'runners.executor: is missing' }] : [];
  const numbers = ['limit', 'output_limit', 'request_concurrency', 'unhealthy_requests_limit'];
  return [
    ...missing,
    ...checkText(executor, 'runners.executor', oneOf(facts.executors), listed(facts.executors)),
    ...checkText(memberOf(runner, 'shell'), 'runners.shell', oneOf(shells), listed(shells)),
    ...numbers.flatMap((key) => checkNumber(memberOf(runner, key), `runners.${key}`, isNotNegative, 'is negative')),
    ...checkText(memberOf(runner, 'clone_url'), 'runners.clone_url', isUrl, 'is no URL'),
    ...itemsOf(memberOf(runner, 'environment')).flatMap((node) =>
      checkText(node, 'runners.environment', (text) => /^[^=]+=/.test(text), 'is not written as NAME=VALUE'),
    ),
    ...(flags?.kind === 'table' ? [...flags.entries] : []).flatMap(([name, value]) =>
      facts.isFeatureFlag(name)
        ? []
        : [
            {
              at: (flags?.kind === 'table' ? flags.keyPositions?.get(name) : undefined) ?? value.at,
              message: `runners.feature_flags: there is no feature flag ${name}`,
            },
          ],
    ),
  ];
}

function isUrl(text: string): boolean {
  return text === '' || URL.canParse(text);
}
