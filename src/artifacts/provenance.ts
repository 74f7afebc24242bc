import { pathBelow } from '../archive/archive-path.ts';
import type { SelectedEntry } from '../archive/selection/selected-entry.ts';
import { sha256OfFile } from '../platform/staged-file.ts';

/** What is known of the job that made the artifacts. */
export interface ProvenanceFacts {
  readonly jobId: number;
  readonly jobName: string;
  readonly runnerId: string;
  readonly runnerName: string;
  readonly executorName: string;
  readonly architecture: string;
  readonly repositoryUrl: string;
  readonly repositoryDigest: string;
  /** Names of job variables. */
  readonly parameters: readonly string[];
  /** ISO 8601, UTC. */
  readonly startedOn: string;
  readonly finishedOn: string;
  /** Version of the runner that wrote this. */
  readonly runnerVersion: string;
}

interface Subject {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

/** Names and hashes of all regular files of a selection. */
export async function provenanceSubjects(
  root: string,
  entries: readonly SelectedEntry[],
  signal: AbortSignal,
): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (const { path, facts } of entries) {
    if (facts.kind !== 'file') continue;
    subjects.push({ name: path, digest: { sha256: await sha256OfFile(pathBelow(root, path), signal) } });
  }
  return subjects;
}

/** The in-toto statement with a SLSA provenance predicate (spec cache-artifacts.md §4.5), as text. */
export function provenanceStatement(facts: ProvenanceFacts, subjects: readonly Subject[]): string {
  const parameters = Object.fromEntries(facts.parameters.map((name) => [name, '']));
  const statement = {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: subjects,
    predicate: {
      buildDefinition: {
        buildType: `https://gitlab.com/gitlab-org/gitlab-runner/-/blob/${facts.runnerVersion}/PROVENANCE.md`,
        externalParameters: { ...parameters, entryPoint: facts.jobName, source: facts.repositoryUrl },
        internalParameters: {
          architecture: facts.architecture,
          executor: facts.executorName,
          job: String(facts.jobId),
          name: facts.runnerName,
        },
        resolvedDependencies: [{ uri: facts.repositoryUrl, digest: { sha256: facts.repositoryDigest } }],
      },
      runDetails: {
        builder: {
          id: `${facts.repositoryUrl}/-/runners/${facts.runnerId}`,
          version: { 'gitlab-runner': facts.runnerVersion },
        },
        metadata: {
          invocationId: String(facts.jobId),
          startedOn: facts.startedOn,
          finishedOn: facts.finishedOn,
        },
      },
    },
  };
  return JSON.stringify(statement, undefined, 1);
}
