/** A request for sources, by its URL. */
export type SourcesRoute =
  | { readonly kind: 'info_refs' | 'upload_pack' | 'push' | 'lfs_batch' | 'lfs_unknown'; readonly path: string }
  | { readonly kind: 'lfs_object'; readonly path: string; readonly oid: string };

type PlainKind = Exclude<SourcesRoute['kind'], 'lfs_object'>;

interface Pattern {
  readonly method: string;
  readonly suffix: RegExp;
  readonly kind: PlainKind | 'lfs_object';
  readonly service?: string;
}

/** Git's dumb protocol is not among them: nothing is served file by file. */
const patterns: readonly Pattern[] = [
  { method: 'GET', suffix: /\/info\/refs$/, kind: 'info_refs', service: 'git-upload-pack' },
  { method: 'GET', suffix: /\/info\/refs$/, kind: 'push', service: 'git-receive-pack' },
  { method: 'POST', suffix: /\/git-upload-pack$/, kind: 'upload_pack' },
  { method: 'POST', suffix: /\/git-receive-pack$/, kind: 'push' },
  { method: 'POST', suffix: /\/info\/lfs\/objects\/batch$/, kind: 'lfs_batch' },
  { method: 'GET', suffix: /\/info\/lfs\/objects\/([0-9a-f]{64})$/, kind: 'lfs_object' },
  { method: '', suffix: /\/info\/lfs\/.*$/, kind: 'lfs_unknown' },
];

/** Says what a request is about; undefined where it is none for sources. */
export function routeOf(method: string, url: string): SourcesRoute | undefined {
  const { pathname, searchParams } = new URL(url, 'http://coordinator.invalid');
  for (const pattern of patterns) {
    if (pattern.method !== '' && pattern.method !== method) continue;
    if (pattern.service !== undefined && pattern.service !== searchParams.get('service')) continue;
    const match = pattern.suffix.exec(pathname);
    if (match === null) continue;
    const path = repositoryPath(pathname.slice(0, match.index));
    if (path === undefined) return undefined;
    if (pattern.kind !== 'lfs_object') return { kind: pattern.kind, path };
    return { kind: pattern.kind, path, oid: match[1] ?? '' };
  }
  return undefined;
}

function repositoryPath(pathname: string): string | undefined {
  try {
    const path = decodeURIComponent(pathname)
      .replace(/^\/+/, '')
      .replace(/\.git$/, '');
    return path === '' ? undefined : path;
  } catch {
    return undefined;
  }
}
