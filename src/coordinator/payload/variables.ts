import { expandServerVariables } from '../../variables/server-expansion.ts';
import type { SubmittedJob, SubmittedVariable } from '../submission.ts';

/** What only the coordinator knows when it hands a job out. */
export interface HandOutFacts {
  readonly jobId: number;
  readonly jobToken: string;
  readonly jobUrl: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly pipelineId: number;
  readonly pipelineIid: number;
  readonly pipelineUrl: string;
  /** With the job token in it. */
  readonly repositoryUrl: string;
  /** This coordinator, as jobs reach it; no `/` at the end. */
  readonly serverUrl: string;
  readonly runner: { readonly id: number; readonly description: string; readonly tags: readonly string[] };
}

/** Variables of earlier jobs' dotenv reports, and those given when the job was played by hand. */
export interface LateVariables {
  readonly dotenv: readonly { readonly key: string; readonly value: string }[];
  readonly played: readonly SubmittedVariable[];
}

/** These stay above the variables of a played job (spec local-pipeline.md §3.2, rows 1 and 2). */
const topmost = /^CI_ENVIRONMENT_(SLUG|URL)$|^CI_RELEASE_/;

/**
 * The variables of a payload, lowest precedence first, expanded as GitLab does it
 * (spec local-pipeline.md §3.2, §3.3, §10.5). A list that refers to itself in a circle goes out unexpanded.
 */
export function payloadVariables(
  job: Pick<SubmittedJob, 'variables_below_dotenv' | 'variables_above_dotenv'>,
  facts: HandOutFacts,
  late: LateVariables,
): readonly SubmittedVariable[] {
  const above = job.variables_above_dotenv;
  const firstTopmost = above.findLastIndex((variable) => !topmost.test(variable.key)) + 1;
  const submitted = new Set([...job.variables_below_dotenv, ...above].map((variable) => variable.key));
  const list = [
    ...persistedVariables(facts),
    ...serverVariables(facts.serverUrl).filter((variable) => !submitted.has(variable.key)),
    ...job.variables_below_dotenv,
    ...late.dotenv.map(({ key, value }) => plain(key, value)),
    ...above.slice(0, firstTopmost),
    ...late.played,
    ...above.slice(firstTopmost),
  ];
  const expansion = expandServerVariables(list);
  return expansion.ok ? expansion.variables : list;
}

function persistedVariables(facts: HandOutFacts): readonly SubmittedVariable[] {
  return [
    plain('CI_PIPELINE_ID', String(facts.pipelineId)),
    plain('CI_PIPELINE_IID', String(facts.pipelineIid)),
    plain('CI_PIPELINE_URL', facts.pipelineUrl),
    plain('CI_JOB_ID', String(facts.jobId)),
    plain('CI_JOB_URL', facts.jobUrl),
    { ...plain('CI_JOB_TOKEN', facts.jobToken), public: false, masked: true },
    plain('CI_JOB_STARTED_AT', new Date(facts.startedAt).toISOString().replace(/\.\d+Z$/, 'Z')),
    { ...plain('CI_REPOSITORY_URL', facts.repositoryUrl), public: false },
    plain('CI_RUNNER_ID', String(facts.runner.id)),
    plain('CI_RUNNER_DESCRIPTION', facts.runner.description),
    plain('CI_RUNNER_TAGS', JSON.stringify(facts.runner.tags)),
  ];
}

function serverVariables(serverUrl: string): readonly SubmittedVariable[] {
  const url = new URL(serverUrl);
  const protocol = url.protocol.replace(':', '');
  return [
    plain('CI_SERVER_URL', serverUrl),
    plain('CI_SERVER_HOST', url.hostname),
    plain('CI_SERVER_FQDN', url.host),
    plain('CI_SERVER_PORT', url.port === '' ? defaultPort(protocol) : url.port),
    plain('CI_SERVER_PROTOCOL', protocol),
    plain('CI_API_V4_URL', `${serverUrl}/api/v4`),
  ];
}

function defaultPort(protocol: string): string {
  return protocol === 'https' ? '443' : '80';
}

function plain(key: string, value: string): SubmittedVariable {
  return { key, value, public: true, file: false, masked: false, raw: false };
}
