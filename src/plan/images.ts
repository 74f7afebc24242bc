import type { PayloadImage } from '../gitlab/job-payload.ts';
import { expandText } from '../variables/expand.ts';
import type { JobVariable } from '../variables/job-variable.ts';
import { type VariableLookup, variableLookup } from '../variables/lookup.ts';
import type { PlannedImage } from './build-plan.ts';

/** The job's image with its names expanded; undefined where the payload names none. */
export function planImage(image: PayloadImage, lookup: VariableLookup): PlannedImage | undefined {
  if (image.name === '') return undefined;
  return plannedImage(image, lookup, []);
}

/**
 * A service container. It sees the job's public variables and its own, which are expanded once against all of the
 * job's and its own (spec job-execution.md §10).
 */
export function planService(
  service: PayloadImage,
  variables: readonly JobVariable[],
  temporaryDirectory: string,
): PlannedImage {
  const own = service.variables.map((variable): JobVariable => ({ ...variable, internal: false }));
  const lookup = variableLookup([...variables, ...own], temporaryDirectory);
  return plannedImage(service, variableLookup(variables, temporaryDirectory), [
    ...variables.filter((variable) => variable.public || variable.internal),
    ...own.map((variable) => (variable.raw ? variable : { ...variable, value: expandText(variable.value, lookup) })),
  ]);
}

function plannedImage(image: PayloadImage, lookup: VariableLookup, variables: readonly JobVariable[]): PlannedImage {
  const docker = optionTable(image.executor_opts['docker']);
  const kubernetes = optionTable(image.executor_opts['kubernetes']);
  return {
    name: expandText(image.name, lookup),
    aliases: expandText(image.alias, lookup)
      .split(/[\s,]+/)
      .filter((alias) => alias !== ''),
    entrypoint: image.entrypoint,
    command: image.command,
    ports: image.ports,
    variables,
    pullPolicies: image.pull_policy,
    docker: { platform: optionText(docker['platform']), user: optionText(docker['user']) },
    kubernetes: { user: optionText(kubernetes['user']) },
  };
}

function optionTable(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function optionText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
