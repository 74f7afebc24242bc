import { parseGoDuration } from '../../lib/go-duration.ts';
import type { TomlNode } from '../toml-document.ts';
import { checkText, type Finding, itemsOf, listed, memberOf, oneOf, textNodes, textOf } from './findings.ts';

const dockerPolicies = ['always', 'if-not-present', 'never', ''];
const cacheTypes = ['s3', 'gcs', 'azure', ''];
const profileTypes = ['RuntimeDefault', 'Localhost', 'Unconfined', ''];
const patchTypes = ['strategic', 'merge', 'json', ''];
const memoryKeys = ['memory', 'memory_swap', 'memory_reservation'].flatMap((key) => [key, `service_${key}`]);
const contexts = ['init_permissions', 'build', 'helper', 'service'].map((name) => `${name}_container_security_context`);

/** What the tables of a `[[runners]]` entry have to hold. */
export function tableProblems(runner: TomlNode): readonly Finding[] {
  return [
    ...policyProblems(runner, 'docker'),
    ...policyProblems(runner, 'kubernetes'),
    ...serviceProblems(runner, 'docker'),
    ...serviceProblems(runner, 'kubernetes'),
    ...dockerProblems(memberOf(runner, 'docker')),
    ...kubernetesProblems(memberOf(runner, 'kubernetes')),
    ...machineProblems(memberOf(runner, 'machine')),
    ...customProblems(runner),
    ...checkText(memberOf(runner, 'cache', 'Type'), 'runners.cache.Type', oneOf(cacheTypes), listed(cacheTypes)),
    ...itemsOf(memberOf(runner, 'referees', 'metrics', 'queries')).flatMap((node) =>
      checkText(node, 'runners.referees.metrics.queries', (text) => text.split(':').length === 2, 'is not name:query'),
    ),
    ...autoscalerPolicyProblems(memberOf(runner, 'autoscaler'), 'runners.autoscaler'),
    ...autoscalerPolicyProblems(memberOf(runner, 'kubernetes', 'autoscaler'), 'runners.kubernetes.autoscaler'),
  ];
}

function policyProblems(runner: TomlNode, table: string): readonly Finding[] {
  return ['pull_policy', 'allowed_pull_policies'].flatMap((key) =>
    textNodes(memberOf(runner, table, key)).flatMap((node) =>
      checkText(node, `runners.${table}.${key}`, (text) => isPolicy(table, text), listed(dockerPolicies)),
    ),
  );
}

/** Kubernetes' own names are taken there too. */
function isPolicy(table: string, text: string): boolean {
  return (
    dockerPolicies.includes(text) || (table === 'kubernetes' && ['Always', 'IfNotPresent', 'Never'].includes(text))
  );
}

function serviceProblems(runner: TomlNode, table: string): readonly Finding[] {
  return itemsOf(memberOf(runner, table, 'services')).flatMap((service) =>
    (textOf(memberOf(service, 'name')) ?? '') === ''
      ? [{ at: service.at, message: `runners.${table}.services: a service needs a name` }]
      : [],
  );
}

function dockerProblems(docker: TomlNode | undefined): readonly Finding[] {
  const isSize = (text: string): boolean => text === '' || /^-?\d+(\.\d+)?\s*([bkmgtp]i?b?)?$/i.test(text);
  const isCount = (text: string): boolean => text === '' || /^\d*\.?\d+(\/\d+)?$/.test(text);
  return [
    ...memoryKeys.flatMap((key) => checkText(memberOf(docker, key), `runners.docker.${key}`, isSize, 'is no size')),
    ...['cpus', 'service_cpus'].flatMap((key) =>
      checkText(memberOf(docker, key), `runners.docker.${key}`, isCount, 'is no number of CPUs'),
    ),
    ...itemsOf(memberOf(docker, 'dns')).flatMap((node) =>
      checkText(node, 'runners.docker.dns', (text) => /^[0-9a-fA-F:.]+$/.test(text), 'is no IP address'),
    ),
  ];
}

function kubernetesProblems(kubernetes: TomlNode | undefined): readonly Finding[] {
  const required = ['name', 'mount_path', 'server', 'path'];
  const profiles = ['pod_security_context', ...contexts].flatMap((context) =>
    ['seccomp_profile', 'app_armor_profile'].map((profile) => [context, profile, 'type']),
  );
  return [
    ...itemsOf(memberOf(kubernetes, 'volumes', 'nfs')).flatMap((volume) => {
      const missing = required.filter((key) => (textOf(memberOf(volume, key)) ?? '') === '');
      return missing.length === 0
        ? []
        : [{ at: volume.at, message: `nfs volume: missing required fields: ${missing.join(', ')}` }];
    }),
    ...itemsOf(memberOf(kubernetes, 'pod_spec')).flatMap((patch) => [
      ...(memberOf(patch, 'patch') !== undefined && memberOf(patch, 'patch_path') !== undefined
        ? [{ at: patch.at, message: 'ambiguous patch: both patch path and patch provided' }]
        : []),
      ...checkText(
        memberOf(patch, 'patch_type'),
        'runners.kubernetes.pod_spec.patch_type',
        oneOf(patchTypes),
        listed(patchTypes),
      ),
    ]),
    ...profiles.flatMap((path) =>
      checkText(
        memberOf(kubernetes, ...path),
        `runners.kubernetes.${path.join('.')}`,
        oneOf(profileTypes),
        listed(profileTypes),
      ),
    ),
  ];
}

function machineProblems(machine: TomlNode | undefined): readonly Finding[] {
  const hasPlace = (text: string): boolean => text === '' || text.includes('%s');
  return [
    ...itemsOf(memberOf(machine, 'MachineOptionsWithName')).flatMap((node) =>
      checkText(node, 'machine option with name', hasPlace, 'must contain %s placeholder'),
    ),
    ...checkText(memberOf(machine, 'MachineName'), 'runners.machine.MachineName', hasPlace, 'must contain %s'),
  ];
}

function customProblems(runner: TomlNode): readonly Finding[] {
  const executor = memberOf(runner, 'executor');
  if (textOf(executor) !== 'custom' || (textOf(memberOf(runner, 'custom', 'run_exec')) ?? '') !== '') return [];
  return [
    { at: (memberOf(runner, 'custom') ?? executor ?? runner).at, message: 'runners.custom.run_exec: is missing' },
  ];
}

function autoscalerPolicyProblems(autoscaler: TomlNode | undefined, key: string): readonly Finding[] {
  return itemsOf(memberOf(autoscaler, 'policy')).flatMap((policy) =>
    checkText(
      memberOf(policy, 'idle_time'),
      `${key}.policy.idle_time`,
      (text) => (parseGoDuration(text) ?? 1000) >= 1000,
      'is shorter than 1s',
    ),
  );
}
