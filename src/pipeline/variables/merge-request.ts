import type { CompileOptions } from '../options.ts';
import type { ProjectIdentity } from './project-identity.ts';
import { type PipelineVariable, yamlVariable } from './scope.ts';

/** `CI_MERGE_REQUEST_*` of a run that stands for a merge request (spec local-pipeline.md §13); else nothing. */
export function mergeRequestVariables(options: CompileOptions, project: ProjectIdentity): readonly PipelineVariable[] {
  const request = options.mergeRequest;
  if (request === undefined) return [];
  const { gitFacts } = options;
  const protectedRefs = options.protectedRefs ?? [gitFacts.defaultBranch];
  const values: Readonly<Record<string, string | undefined>> = {
    ID: String(project.id + request.iid),
    IID: String(request.iid),
    PROJECT_ID: String(project.id),
    PROJECT_PATH: project.path,
    PROJECT_URL: project.server === undefined ? undefined : `${project.server.url}/${project.path}`,
    REF_PATH: `refs/merge-requests/${request.iid}/head`,
    SOURCE_BRANCH_NAME: gitFacts.refName,
    SOURCE_BRANCH_PROTECTED: String(protectedRefs.includes(gitFacts.refName)),
    SOURCE_BRANCH_SHA: '',
    SOURCE_PROJECT_ID: String(project.id),
    SOURCE_PROJECT_PATH: project.path,
    SOURCE_PROJECT_URL: project.server === undefined ? undefined : `${project.server.url}/${project.path}`,
    TARGET_BRANCH_NAME: request.targetBranch,
    TARGET_BRANCH_PROTECTED: String(protectedRefs.includes(request.targetBranch)),
    TARGET_BRANCH_SHA: request.targetSha ?? '',
    TITLE: request.title ?? '',
    DESCRIPTION: request.description ?? '',
    DESCRIPTION_IS_TRUNCATED: 'false',
    LABELS: request.labels?.join(','),
    MILESTONE: request.milestone,
    ASSIGNEES: request.assignees?.join(','),
    DRAFT: String(request.draft ?? false),
    APPROVED: request.approved === true ? 'true' : undefined,
    EVENT_TYPE: 'detached',
    DIFF_ID: String(project.id),
    DIFF_BASE_SHA: request.diffBaseSha ?? '',
    SQUASH_ON_MERGE: String(request.squashOnMerge ?? false),
  };
  return Object.entries(values).flatMap(([name, value]) => {
    return value === undefined ? [] : [yamlVariable(`CI_MERGE_REQUEST_${name}`, value, true)];
  });
}
