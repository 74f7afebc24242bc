import { type Entry, type Fields, fieldsOf } from '../yaml/reader.ts';

/** One report upload of `artifacts:reports`. */
export interface ReportConfig {
  /** `artifact_type` of the payload. */
  readonly type: string;
  readonly format: 'gzip' | 'zip' | 'raw';
  /** Name of the uploaded file. */
  readonly fileName: string;
  readonly paths: readonly string[];
}

const FILE_NAMES: ReadonlyMap<string, string> = new Map([
  ['junit', 'junit.xml'],
  ['dotenv', '.env'],
  ['codequality', 'gl-code-quality-report.json'],
  ['sast', 'gl-sast-report.json'],
  ['secret_detection', 'gl-secret-detection-report.json'],
  ['dependency_scanning', 'gl-dependency-scanning-report.json'],
  ['container_scanning', 'gl-container-scanning-report.json'],
  ['cluster_image_scanning', 'gl-cluster-image-scanning-report.json'],
  ['dast', 'gl-dast-report.json'],
  ['license_scanning', 'gl-license-scanning-report.json'],
  ['performance', 'performance.json'],
  ['browser_performance', 'browser-performance.json'],
  ['load_performance', 'load-performance.json'],
  ['metrics', 'metrics.txt'],
  ['lsif', 'lsif.json'],
  ['terraform', 'tfplan.json'],
  ['accessibility', 'gl-accessibility.json'],
  ['requirements', 'requirements.json'],
  ['requirements_v2', 'requirements_v2.json'],
  ['coverage_fuzzing', 'gl-coverage-fuzzing.json'],
  ['api_fuzzing', 'gl-api-fuzzing-report.json'],
  ['cyclonedx', 'gl-sbom.cdx.json'],
  ['annotations', 'gl-annotations.json'],
  ['repository_xray', 'gl-repository-xray.json'],
  ['sarif', 'gl-sarif-report.sarif'],
  ['cobertura', 'cobertura-coverage.xml'],
  ['jacoco', 'jacoco-coverage.xml'],
]);
const GZIPPED = new Set([
  'junit',
  'metrics',
  'dotenv',
  'cobertura',
  'jacoco',
  'cyclonedx',
  'annotations',
  'repository_xray',
]);
const ZIPPED = new Set(['lsif', 'scip']);
const COVERAGE_FORMATS = ['cobertura', 'jacoco'] as const;
const COVERAGE_KEYS = new Set(['coverage_format', 'path']);
const KEYS = new Set(
  [...FILE_NAMES.keys(), 'coverage_report'].filter((name) => name !== 'cobertura' && name !== 'jacoco'),
);

/** Reads `artifacts:reports` (spec local-pipeline.md §9.7). */
export function readReports(entry: Entry): readonly ReportConfig[] {
  const fields = fieldsOf(entry, KEYS);
  if (fields === undefined) return [];
  return [...fields.node.entries.keys()].flatMap((key) => (KEYS.has(key) ? (readReport(fields, key) ?? []) : []));
}

function readReport(fields: Fields, key: string): ReportConfig | undefined {
  if (key === 'coverage_report') return readCoverage(fields);
  const paths = fields.stringOrStrings(key);
  return paths === undefined || paths.length === 0 ? undefined : report(key, paths);
}

function readCoverage(fields: Fields): ReportConfig | undefined {
  const entry = fields.entry('coverage_report');
  const inner = entry === undefined ? undefined : fieldsOf(entry, COVERAGE_KEYS);
  const format = inner?.oneOf('coverage_format', COVERAGE_FORMATS);
  const path = inner?.required('path');
  if (inner !== undefined && !inner.has('coverage_format'))
    inner.problem('coverage_format', "can't be blank", inner.node.at);
  return format === undefined || path === undefined ? undefined : report(format, [path]);
}

function report(type: string, paths: readonly string[]): ReportConfig {
  const format = GZIPPED.has(type) ? 'gzip' : ZIPPED.has(type) ? 'zip' : 'raw';
  return { type, format, fileName: FILE_NAMES.get(type) ?? type, paths };
}
