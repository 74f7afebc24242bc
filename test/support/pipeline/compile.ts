import { pipelineSubmissionSchema, type SubmittedJob } from '../../../src/coordinator/submission.ts';
import { PipelineError } from '../../../src/lib/errors.ts';
import { type CompiledPipeline, compilePipeline } from '../../../src/pipeline/compile.ts';
import type { CompileOptions } from '../../../src/pipeline/options.ts';
import type { ChangedFiles, PipelineFiles } from '../../../src/pipeline/ports.ts';
import type { GitFacts } from '../../../src/pipeline/sources/git-facts.ts';

/** Facts of a checkout of branch `main`. */
export const mainBranch: GitFacts = {
  workTree: '/builds/project',
  isRepository: true,
  sha: 'a'.repeat(40),
  shortSha: 'a'.repeat(8),
  headSha: 'a'.repeat(40),
  branch: 'main',
  tag: undefined,
  tagMessage: '',
  refName: 'main',
  beforeSha: '0'.repeat(40),
  message: 'Say $HELLO\n\nto all',
  author: 'Ann <ann@example.com>',
  timestamp: '2024-05-06T07:08:09+02:00',
  remoteUrl: 'https://gitlab.example.com:8443/Group/sub/app.git',
  remote: { scheme: 'https', host: 'gitlab.example.com', port: 8443, projectPath: 'Group/sub/app' },
  defaultBranch: 'main',
  userName: 'Ann',
  userEmail: 'ann@example.com',
  userId: 1000,
  objectFormat: 'sha1',
  folderName: 'app',
};

/** Facts of a checkout of another branch. */
export function branch(name: string): GitFacts {
  return { ...mainBranch, branch: name, refName: name };
}

/** Facts of a run for a tag. */
export function tag(name: string): GitFacts {
  return { ...mainBranch, branch: undefined, tag: name, refName: name, tagMessage: 'message' };
}

/** A working tree in memory. */
export function memoryFiles(files: Readonly<Record<string, string>>): PipelineFiles {
  return {
    read: async (path) => (Object.hasOwn(files, path) ? new TextEncoder().encode(files[path]) : undefined),
    list: async () => Object.keys(files).toSorted(),
  };
}

/** Says that these paths changed since any base; `bad-ref` names no commit. */
export function changed(...paths: readonly string[]): ChangedFiles {
  return {
    compare: async (compareTo) => (compareTo === 'bad-ref' ? { kind: 'unknown_ref' } : { kind: 'paths', paths }),
  };
}

export type Extra = Partial<Omit<CompileOptions, 'files' | 'rootFile'>>;

/** Compiles YAML text, or files with a `.gitlab-ci.yml` among them; the submission passes the coordinator's schema. */
export async function compile(
  source: string | Readonly<Record<string, string>>,
  extra: Extra = {},
): Promise<CompiledPipeline> {
  const files = typeof source === 'string' ? { '.gitlab-ci.yml': source } : source;
  const compiled = await compilePipeline({
    files: memoryFiles(files),
    rootFile: '.gitlab-ci.yml',
    gitFacts: mainBranch,
    signal: new AbortController().signal,
    ...extra,
  });
  if (compiled.submission !== undefined) {
    const parsed: unknown = pipelineSubmissionSchema.parse(JSON.parse(JSON.stringify(compiled.submission)));
    if (parsed === undefined) throw new Error('the submission does not fit its schema');
  }
  return compiled;
}

/** The problems of a configuration that must not compile, as `line:column message`, with the file where it is another. */
export async function problemsOf(
  source: string | Readonly<Record<string, string>>,
  extra: Extra = {},
): Promise<readonly string[]> {
  try {
    await compile(source, extra);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return error.problems.map(({ message, file, line, column }) => {
      return `${file === '.gitlab-ci.yml' ? '' : `${file}:`}${line}:${column} ${message}`;
    });
  }
  return [];
}

/** Names of the jobs that would run. */
export async function jobNames(
  source: string | Readonly<Record<string, string>>,
  extra: Extra = {},
): Promise<readonly string[]> {
  return (await compile(source, extra)).submission?.jobs.map((job) => job.name) ?? [];
}

/** One job of the submission. */
export async function job(
  source: string | Readonly<Record<string, string>>,
  name: string,
  extra: Extra = {},
): Promise<SubmittedJob> {
  const { submission, jobs } = await compile(source, extra);
  const found = submission?.jobs.find((item) => item.name === name);
  if (found === undefined)
    throw new Error(`no job ${name} among ${jobs.map((item) => `${item.name} (${item.reason})`).join(', ')}`);
  return found;
}

/** The last value of each variable that a job is sent with. */
export function variablesOf(sent: SubmittedJob): Readonly<Record<string, string>> {
  const all = [...sent.variables_below_dotenv, ...sent.variables_above_dotenv];
  return Object.fromEntries(all.map((variable) => [variable.key, variable.value]));
}
