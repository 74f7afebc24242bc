import { type Entry, type Fields, fieldsOf } from '../yaml/reader.ts';
import { type ReportConfig, readReports } from './reports.ts';

export type UploadWhen = 'on_success' | 'on_failure' | 'always';

export interface ArtifactsConfig {
  readonly name: string | undefined;
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly untracked: boolean;
  readonly when: UploadWhen;
  readonly expireIn: string | undefined;
  readonly exposeAs: string | undefined;
  readonly reports: readonly ReportConfig[];
}

const KEYS = new Set([
  'name',
  'untracked',
  'paths',
  'reports',
  'when',
  'expire_in',
  'expose_as',
  'exclude',
  'public',
  'access',
]);
export const UPLOAD_WHEN = ['on_success', 'on_failure', 'always'] as const;
const ACCESS = ['all', 'developer', 'maintainer', 'none'] as const;

/** Reads `artifacts` (spec local-pipeline.md §9.7). */
export function readArtifacts(entry: Entry): ArtifactsConfig | undefined {
  const fields = fieldsOf(entry, KEYS);
  if (fields === undefined) return undefined;
  fields.durationOrNever('expire_in');
  const expireIn = fields.get('expire_in');
  const reports = fields.entry('reports');
  checkAccess(fields);
  const paths = fields.strings('paths') ?? [];
  return {
    name: fields.string('name'),
    paths,
    exclude: fields.strings('exclude') ?? [],
    untracked: fields.boolean('untracked') ?? false,
    when: fields.oneOf('when', UPLOAD_WHEN) ?? 'on_success',
    expireIn: expireIn?.kind === 'scalar' ? expireIn.text : undefined,
    exposeAs: readExposeAs(fields, paths),
    reports: reports === undefined ? [] : readReports(reports),
  };
}

function checkAccess(fields: Fields): void {
  fields.boolean('public');
  fields.oneOf('access', ACCESS);
  if (fields.has('public') && fields.has('access')) {
    fields.problems.add(
      `${fields.location} config these keys cannot be used together: public, access`,
      fields.at('access'),
    );
  }
}

function readExposeAs(fields: Fields, paths: readonly string[]): string | undefined {
  const exposeAs = fields.string('expose_as');
  if (exposeAs === undefined) return undefined;
  if (exposeAs.length > 100) fields.problem('expose_as', 'is too long (maximum is 100 characters)');
  if (!/^\w[-\w ]*$/.test(exposeAs))
    fields.problem('expose_as', 'can contain only letters, digits, spaces, `-` and `_`');
  if (paths.length === 0) fields.problem('paths', "can't be blank", fields.at('expose_as'));
  if (paths.some((path) => path.includes('*'))) fields.problem('paths', "can't contain '*' when used with 'expose_as'");
  return exposeAs;
}
