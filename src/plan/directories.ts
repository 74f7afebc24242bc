import { posix } from 'node:path';
import type { RunnerConfig } from '../config/runner-config.ts';
import { parseRepositoryUrl } from '../git/repository-url.ts';
import { JobConfigurationError } from '../lib/errors.ts';
import { isAbsolutePath, withForwardSlashes } from '../script/paths.ts';
import { shortToken } from '../variables/short-token.ts';
import type { BuildDirectories } from './build-plan.ts';
import type { ExecutorTraits } from './executor-traits.ts';

/**
 * The directory all builds live under.
 * @throws JobConfigurationError when nobody named one.
 */
export function rootDirectory(runner: RunnerConfig, traits: ExecutorTraits): string {
  const configured = runner.buildsDir || traits.defaultBuildsDir;
  if (configured === '') {
    throw new JobConfigurationError('the builds_dir is not configured', {
      hint: `Set builds_dir in this [[runners]] entry: the ${traits.name} executor has no default.`,
    });
  }
  return anchored(configured, traits.defaultBuildsDir);
}

export interface DirectorySources {
  readonly runner: RunnerConfig;
  readonly traits: ExecutorTraits;
  readonly root: string;
  readonly repositoryUrl: string;
  readonly projectId: number;
  readonly concurrentProjectId: number;
  /** Expanded GIT_CLONE_PATH; empty = not set. */
  readonly clonePath: string;
  /** GIT_STRATEGY=empty uses directories of its own. */
  readonly isEmptyStrategy: boolean;
}

/**
 * Where a build's files are (spec job-execution.md §3).
 * @throws JobConfigurationError when a directory is missing or not allowed.
 */
export function buildDirectories(sources: DirectorySources): BuildDirectories {
  const slug = `${projectSlug(sources.repositoryUrl, sources.projectId)}${sources.isEmptyStrategy ? '-empty' : ''}`;
  const project = sources.clonePath === '' ? ownProjectDirectory(sources, slug) : customDirectory(sources);
  return {
    root: sources.root,
    project,
    temporary: `${project}.tmp`,
    cache: posix.join(cacheBase(sources.runner, sources.traits), slug),
  };
}

function ownProjectDirectory(sources: DirectorySources, slug: string): string {
  const { root, runner, traits, concurrentProjectId } = sources;
  if (!traits.sharedBuildsDir) return posix.join(root, slug);
  return posix.join(root, shortToken(runner.token), String(concurrentProjectId), slug);
}

function cacheBase(runner: RunnerConfig, traits: ExecutorTraits): string {
  const configured = runner.cacheDir || traits.defaultCacheDir;
  if (configured === '') {
    throw new JobConfigurationError('the cache_dir is not configured', {
      hint: `Set cache_dir in this [[runners]] entry: the ${traits.name} executor has no default.`,
    });
  }
  return anchored(configured, traits.defaultCacheDir);
}

/**
 * A configured directory as the job's environment sees it. Where the executor's own default is absolute, a relative
 * one lies beside it, and `$PWD` is that place: the manager's working directory.
 */
function anchored(configured: string, executorDefault: string): string {
  const path = withForwardSlashes(configured);
  const base = withForwardSlashes(executorDefault);
  if (!isAbsolutePath(base)) return posix.normalize(path);
  const place = posix.dirname(base);
  const expanded = path.replaceAll(/\$\{PWD\}|\$PWD\b/g, place).replaceAll(/\$(?:\{\w+\}|\w+)/g, '');
  return isAbsolutePath(expanded) ? posix.normalize(expanded) : posix.join(place, expanded);
}

function customDirectory({ runner, traits, root, clonePath }: DirectorySources): string {
  if (!(runner.customBuildDirEnabled ?? traits.customBuildDirByDefault)) {
    throw new JobConfigurationError('setting GIT_CLONE_PATH is not allowed, enable `custom_build_dir` feature');
  }
  const path = posix.normalize(withForwardSlashes(clonePath)).replace(/(?<=.)\/$/, '');
  const relative = posix.relative(root, path);
  const isInside = isAbsolutePath(path) === isAbsolutePath(root) && relative !== '..' && !relative.startsWith('../');
  if (!isInside) {
    throw new JobConfigurationError(`the GIT_CLONE_PATH="${clonePath}" has to be within "${root}"`);
  }
  return path;
}

/** `group/project` of the repository, or a name made of the project's id where the URL gives none. */
export function projectSlug(repositoryUrl: string, projectId: number): string {
  const fallback = `project-${projectId}`;
  const url = parseRepositoryUrl(repositoryUrl);
  if (url === undefined || url.host === '') return fallback;
  const path = decodePath(url.path)
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  const slug = posix.normalize(path).replace(/^\/+/, '');
  return slug === '' || slug === '.' || slug.includes('..') || path.includes('..') ? fallback : slug;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
