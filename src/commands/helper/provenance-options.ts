import { sortByPath } from '../../archive/archive-path.ts';
import { matchesPath } from '../../archive/selection/glob.ts';
import { parsePathPattern } from '../../archive/selection/path-pattern.ts';
import type { SelectedEntry } from '../../archive/selection/selected-entry.ts';
import { type ProvenanceFacts, provenanceStatement, provenanceSubjects } from '../../artifacts/provenance.ts';
import { compatibility, hostPlatform } from '../../gitlab/compatibility.ts';
import { CommandError, errorMessage } from '../../lib/errors.ts';
import { inspectEntry } from '../../platform/file-tree.ts';
import { writeTextFile } from '../../platform/staged-file.ts';
import type { HelperContext } from './helper-command.ts';
import { listOption, type OptionValues, switchOption, textOption } from './options.ts';

/** Options about the provenance statement of artifacts (spec cache-artifacts.md §4.5). */
export const provenanceOptions = {
  'generate-artifacts-metadata': switchOption('Write a provenance statement and add it to the artifacts'),
  'runner-id': textOption('ID of the runner'),
  'repo-url': textOption('URL of the repository'),
  'repo-digest': textOption('Commit of the repository'),
  'job-name': textOption('Name of the job'),
  'executor-name': textOption('Name of the executor'),
  'runner-name': textOption('Name of the runner'),
  'metadata-parameter': listOption('Name of a job variable'),
  'started-at': textOption('When the job started, RFC 3339'),
  'ended-at': textOption('When the job ended, RFC 3339'),
  'schema-version': textOption('Version of the statement'),
} as const;

export interface ProvenanceRequest {
  readonly root: string;
  /** Expanded artifact name. */
  readonly name: string;
  readonly jobId: number;
  /** Expanded excludes: they hold for the statement's file too. */
  readonly excludes: readonly string[];
}

/** Writes the statement about the selected files beside them. @returns the selection with it. @throws CommandError */
export async function addProvenance(
  options: OptionValues<typeof provenanceOptions>,
  entries: readonly SelectedEntry[],
  request: ProvenanceRequest,
  { log }: HelperContext,
  signal: AbortSignal,
): Promise<readonly SelectedEntry[]> {
  log.info('Generating artifacts statement');
  const version = options['schema-version'];
  if (version !== 'v1') log.warn(`Unknown SLSA provenance version ${version}, defaulting to v1`);
  const path = `${request.name}-metadata.json`;
  try {
    const subjects = await provenanceSubjects(request.root, entries, signal);
    const text = provenanceStatement(factsFrom(options, request.jobId), subjects);
    await writeTextFile(`${request.root}/${path}`, text, 0o644);
  } catch (error) {
    signal.throwIfAborted();
    throw new CommandError(`generating artifacts statement: ${errorMessage(error)}`, { cause: error });
  }
  const facts = inspectEntry(`${request.root}/${path}`);
  if (facts === undefined || isExcluded(path, request)) return entries;
  return sortByPath([...entries.filter((entry) => entry.path !== path), { path, facts }]);
}

function factsFrom(options: OptionValues<typeof provenanceOptions>, jobId: number): ProvenanceFacts {
  return {
    jobId,
    jobName: options['job-name'],
    runnerId: options['runner-id'],
    runnerName: options['runner-name'],
    executorName: options['executor-name'],
    architecture: hostPlatform(process.platform, process.arch).architecture,
    repositoryUrl: options['repo-url'],
    repositoryDigest: options['repo-digest'],
    parameters: options['metadata-parameter'],
    startedOn: utcTime(options['started-at'], 'started-at'),
    finishedOn: utcTime(options['ended-at'], 'ended-at'),
    runnerVersion: `v${compatibility.version}`,
  };
}

function utcTime(text: string, flag: string): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new CommandError(`--${flag} must be an RFC 3339 time, not ${JSON.stringify(text)}`);
  return new Date(time).toISOString().replace(/\.000Z$/, 'Z');
}

function isExcluded(path: string, { root, excludes }: ProvenanceRequest): boolean {
  return excludes.some((exclude) => {
    try {
      const parsed = parsePathPattern(exclude, root);
      return parsed.kind === 'pattern' && matchesPath(parsed.glob, path);
    } catch {
      return false;
    }
  });
}
