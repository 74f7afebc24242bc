import { relative, resolve, sep } from 'node:path';
import { CommandError, ConfigError } from '../lib/errors.ts';
import type { CompileOptions, PipelineSource, UserVariable } from '../pipeline/options.ts';
import { parseVariableOption, parseVariablesFile, unreadableVariablesFile } from '../pipeline/run/variables-file.ts';
import { changedFiles } from '../pipeline/sources/changed-files.ts';
import type { GitFacts } from '../pipeline/sources/git-facts.ts';
import { readGitFacts } from '../pipeline/sources/read-git-facts.ts';
import type { SourceRepository } from '../pipeline/sources/source-repository.ts';
import { fileCommits, workTreeFiles } from '../pipeline/sources/work-tree-files.ts';
import { kindOf, readIfPresent, realPath } from '../platform/source-files.ts';
import type { CommandEnvironment } from './command-environment.ts';

/** Options that all pipeline commands share; absent = not given. */
export interface PipelineOptions {
  /** Configuration file; default `.gitlab-ci.yml` here, else at the top of the work tree. */
  readonly file?: string;
  /** `KEY=VALUE` */
  readonly variable?: readonly string[];
  /** dotenv or YAML; later files win. */
  readonly variablesFile?: readonly string[];
  /** Pretend to be on this branch. */
  readonly branch?: string;
  /** Pretend to run for this tag. */
  readonly tag?: string;
  /** Value of `CI_PIPELINE_SOURCE`. */
  readonly source?: PipelineSource;
  /** Where `changes` clauses start to compare. */
  readonly changesBase?: string;
  readonly json?: boolean;
}

/** The checkout that a command was called in, and what its pipeline is compiled from. */
export interface Checkout {
  readonly facts: GitFacts;
  /** Undefined where the folder is in no git repository. */
  readonly repository: SourceRepository | undefined;
  /** Lacks only the facts: a run has those of its snapshot. */
  readonly compileOptions: Omit<CompileOptions, 'gitFacts'>;
}

const defaultFile = '.gitlab-ci.yml';

/** As GitLab sets it for new projects. */
const gitDepth = 20;

/**
 * Reads git facts and the user's variables.
 * @throws CommandError, ConfigError
 */
export async function openCheckout(
  options: PipelineOptions,
  environment: Pick<CommandEnvironment, 'env' | 'workingDirectory'>,
  signal: AbortSignal,
): Promise<Checkout> {
  const { env } = environment;
  const { workingDirectory } = environment;
  // Git starts within the call: what the caller loads meanwhile costs no time.
  const [{ facts, repository }, { folder, userVariables }] = await Promise.all([
    readGitFacts({ folder: workingDirectory, env, tag: options.tag, branch: options.branch }, signal),
    realPath(workingDirectory).then(async (path) => ({
      folder: path,
      userVariables: await readVariables(options, path),
    })),
  ]);
  const compileOptions = {
    files: workTreeFiles(facts.workTree, repository, env),
    rootFile: await findRootFile(options.file, folder, facts.workTree),
    changedFiles: changedFiles(repository, { asked: options.changesBase, defaultBranch: facts.defaultBranch }),
    fileCommits: fileCommits(repository),
    userVariables,
    gitDepth,
    signal,
    ...(options.source === undefined ? {} : { source: options.source }),
  };
  return { facts, repository, compileOptions };
}

/** Path of the configuration relative to the top of the work tree, with `/`. */
async function findRootFile(file: string | undefined, folder: string, workTree: string): Promise<string> {
  const here = resolve(folder, file ?? defaultFile);
  const isElsewhere = file === undefined && (await kindOf(here)) === undefined;
  const path = relative(workTree, isElsewhere ? resolve(workTree, defaultFile) : here);
  if (path.startsWith('..')) {
    throw new CommandError(`--file ${file ?? here} lies outside the work tree ${workTree}`, { exitCode: 2 });
  }
  return path.split(sep).join('/');
}

/** The file first: what the command line says is stronger, and later ones win. */
async function readVariables(options: PipelineOptions, folder: string): Promise<readonly UserVariable[]> {
  const given = (options.variable ?? []).map((text) => ({ ...parseVariableOption(text), level: 'pipeline' as const }));
  const files = await Promise.all((options.variablesFile ?? []).map(async (file) => await readFile(file, folder)));
  return [...files.flat(), ...given];
}

async function readFile(file: string, folder: string): Promise<readonly UserVariable[]> {
  const content = await readIfPresent(resolve(folder, file)).catch((error: unknown) => {
    throw unreadableVariablesFile(file, error);
  });
  if (content === undefined) throw new ConfigError(`--variables-file ${file}: there is no such file`);
  const variables = await parseVariablesFile(content.toString('utf8'), file);
  return variables.map((variable) => ({ ...variable, level: 'project' as const }));
}
