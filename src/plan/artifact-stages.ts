import { planOwnership } from '../git/ownership.ts';
import { cleanRepositoryUrl } from '../git/repository-url.ts';
import type { JobPayload, PayloadArtifact } from '../gitlab/job-payload.ts';
import { formatGoDuration } from '../lib/go-duration.ts';
import { changeDirectory, command, notice } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import { findVariable } from '../variables/lookup.ts';
import { readBoolean } from '../variables/parse-boolean.ts';
import type { StagePlan } from './build-plan.ts';
import { fits } from './cache-stages.ts';
import { helperStage, type PlanContext, withHelper } from './plan-context.ts';

/** Gets the artifacts of earlier jobs, in payload order: later ones overwrite (spec cache-artifacts.md §5). */
export function planDownloadArtifacts(context: PlanContext): StagePlan | undefined {
  const dependencies = context.payload.dependencies.filter((entry) => entry.artifacts_file.filename !== '');
  if (dependencies.length === 0) return undefined;
  const { root, project } = context.directories;
  return helperStage({
    stage: 'download_artifacts',
    title: 'Downloading artifacts',
    attempts: context.settings.attempts.artifactDownload,
    operations: [
      changeDirectory(project),
      ...downloadOperations(dependencies, context),
      ...(context.git.changesOwnership && context.dialect === 'posix'
        ? planOwnership(root, [root], context.git.debug)
        : []),
    ],
  });
}

/** One call for each job; our own helper gets all in one call, several at the same time, with the same log and tree. */
function downloadOperations(
  dependencies: JobPayload['dependencies'],
  context: PlanContext,
): readonly ScriptOperation[] {
  if (context.traits.helperIsOurs === true && dependencies.length > 1) {
    const jobs = dependencies.flatMap(({ id, name, token }) => ['--id', String(id), '--token', token, '--name', name]);
    return [
      withHelper(context, 'Artifacts downloading', (helper, leading) => [
        command(helper, ...leading, 'artifacts-downloader', '--url', context.runner.url, ...jobs),
      ]),
    ];
  }
  return dependencies.map(({ id, name, token }) =>
    withHelper(context, 'Artifacts downloading', (helper, leading) => [
      notice(`Downloading artifacts for ${name} (${id})...`),
      command(helper, ...leading, 'artifacts-downloader', ...credentials(context, token, id)),
    ]),
  );
}

/** Uploads the artifacts whose `when` fits, one call each; undefined = none does. */
export function planUploadArtifacts(outcome: 'success' | 'failure', context: PlanContext): StagePlan | undefined {
  const artifacts = context.payload.artifacts.filter((entry) => selectsSomething(entry) && fits(entry.when, outcome));
  if (context.runner.url === '' || artifacts.length === 0) return undefined;
  return helperStage({
    stage: `upload_artifacts_on_${outcome}`,
    title: `Uploading artifacts for ${outcome === 'success' ? 'successful' : 'failed'} job`,
    operations: [
      changeDirectory(context.directories.project),
      ...artifacts.map((artifact) =>
        withHelper(context, 'Uploading artifacts', (helper, leading) => [
          notice('Uploading artifacts...'),
          ...(wantsProvenance(artifact, context) ? takeTime : []),
          {
            op: 'command',
            command: helper,
            expand: [timeVariable],
            arguments: [...leading, 'artifacts-uploader', ...uploadArguments(artifact, context)],
          },
        ]),
      ),
    ],
  });
}

function selectsSomething({ paths, exclude, untracked }: PayloadArtifact): boolean {
  return paths.length > 0 || exclude.length > 0 || untracked;
}

function credentials({ runner }: PlanContext, token: string, id: number): readonly string[] {
  return ['--url', runner.url, '--token', token, '--id', String(id)];
}

function uploadArguments(artifact: PayloadArtifact, context: PlanContext): readonly string[] {
  const { payload, runner } = context;
  return [
    ...credentials(context, payload.token, payload.id),
    '--timeout',
    formatGoDuration(runner.artifact.uploadTimeoutMs),
    '--response-header-timeout',
    formatGoDuration(runner.artifact.responseHeaderTimeoutMs),
    ...(wantsProvenance(artifact, context) ? provenanceArguments(context) : []),
    ...artifact.paths.flatMap((path) => ['--path', path]),
    ...artifact.exclude.flatMap((path) => ['--exclude', path]),
    ...(artifact.untracked ? ['--untracked'] : []),
    ...option('--name', artifact.name),
    ...option('--expire-in', artifact.expire_in),
    ...option('--artifact-format', artifact.artifact_format),
    ...option('--artifact-type', artifact.artifact_type),
  ];
}

function option(name: string, value: string): readonly string[] {
  return value === '' ? [] : [name, value];
}

function wantsProvenance(artifact: PayloadArtifact, { payload }: PlanContext): boolean {
  const wanted = findVariable(payload.variables, 'RUNNER_GENERATE_ARTIFACTS_METADATA')?.value ?? '';
  return readBoolean(wanted) && artifact.artifact_format === 'zip';
}

const timeVariable = '__millrace_time';

/** When the job ended is known only when the artifacts are uploaded. */
const takeTime: readonly ScriptOperation[] = [
  { op: 'verbatim', dialect: 'posix', text: `${timeVariable}=$(date -u +%Y-%m-%dT%H:%M:%SZ)` },
  {
    op: 'verbatim',
    dialect: 'powershell',
    text: `\${${timeVariable}}=[DateTime]::UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ")`,
  },
];

function provenanceArguments({ payload, runner, startedAt }: PlanContext): readonly string[] {
  const value = (key: string): string => findVariable(payload.variables, key)?.value ?? '';
  return [
    '--generate-artifacts-metadata',
    '--runner-id',
    value('CI_RUNNER_ID'),
    '--repo-url',
    cleanRepositoryUrl(payload.git_info.repo_url).replace(/\.git$/, ''),
    '--repo-digest',
    payload.git_info.sha,
    '--job-name',
    payload.job_info.name,
    '--executor-name',
    runner.executor,
    '--runner-name',
    runner.name,
    '--started-at',
    startedAt ?? `\${${timeVariable}}`,
    '--ended-at',
    `\${${timeVariable}}`,
    '--schema-version',
    value('SLSA_PROVENANCE_SCHEMA_VERSION') || 'unknown',
    ...payload.variables.flatMap(({ key }) => ['--metadata-parameter', key]),
  ];
}
