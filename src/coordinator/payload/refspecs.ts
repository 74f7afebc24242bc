import type { PipelineSubmission } from '../submission.ts';

/** What a job fetches (spec protocol.md §4.3): the pipeline's own ref, and its branch or tag, or all where no depth is set. */
export function refspecsOf(git: PipelineSubmission['git'], pipelineId: number): readonly string[] {
  const own = `+${git.sha}:refs/pipelines/${pipelineId}`;
  if (git.depth === 0) return [own, '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'];
  if (git.ref_type === 'tag') return [own, `+refs/tags/${git.ref}:refs/tags/${git.ref}`];
  return [own, `+refs/heads/${git.ref}:refs/remotes/origin/${git.ref}`];
}
