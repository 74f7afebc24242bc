/** Formats that each artifact type is accepted in (spec local-pipeline.md §9.7, protocol.md §10.3). */
const gzipTypes = [
  'junit',
  'metrics',
  'dotenv',
  'cobertura',
  'jacoco',
  'cyclonedx',
  'annotations',
  'repository_xray',
  'metrics_referee',
  'network_referee',
];
const zipTypes = ['lsif', 'scip'];
const rawTypes = [
  'accessibility',
  'api_fuzzing',
  'browser_performance',
  'cluster_image_scanning',
  'codequality',
  'container_scanning',
  'coverage_fuzzing',
  'dast',
  'dependency_scanning',
  'license_scanning',
  'load_performance',
  'performance',
  'requirements',
  'requirements_v2',
  'sarif',
  'sast',
  'secret_detection',
  'terraform',
];
const archiveFormats = ['zip', 'zipzstd', 'tarzstd', 'gzip', 'raw'];

const formatsOf = new Map<string, readonly string[]>([
  ['archive', archiveFormats],
  ['metadata', ['gzip']],
  ['trace', ['raw']],
  ...gzipTypes.map((type) => [type, ['gzip']] as const),
  ...zipTypes.map((type) => [type, ['zip']] as const),
  ...rawTypes.map((type) => [type, ['raw']] as const),
]);

/** The kind of an upload from its query; a text says what is wrong with it. */
export function artifactKind(
  type: string,
  format: string,
): { readonly type: string; readonly format: string } | string {
  const kind = { type: type === '' ? 'archive' : type, format: format === '' ? 'zip' : format };
  const formats = formatsOf.get(kind.type);
  if (formats === undefined) return `artifact_type does not have a valid value`;
  if (!archiveFormats.includes(kind.format)) return `artifact_format does not have a valid value`;
  if (!formats.includes(kind.format)) return `Invalid file format '${kind.format}' with specified type '${kind.type}'`;
  return kind;
}
