/** Where a job finds a repository: at a path of the coordinator, or at a URL of its own that is redirected. */
export type RepositoryAddress =
  | { readonly kind: 'served'; readonly path: string }
  | { readonly kind: 'foreign'; readonly url: string };

/**
 * The address a job's git comes to for a submodule, by git's own rules: `./` and `../` are relative to the remote of
 * the repository that holds it, anything else stands for itself.
 * @returns undefined where a relative URL leads out of the server.
 */
export function resolveSubmoduleUrl(parent: RepositoryAddress, url: string): RepositoryAddress | undefined {
  if (!/^\.\.?(\/|$)/.test(url)) return { kind: 'foreign', url };
  if (parent.kind === 'foreign') {
    const resolved = joinRelative(parent.url, url);
    return resolved === undefined ? undefined : { kind: 'foreign', url: resolved };
  }
  // The leading slash is the end of the server's address.
  const resolved = joinRelative(`/${parent.path}.git`, url);
  if (resolved === undefined || !resolved.startsWith('/')) return undefined;
  return { kind: 'served', path: withoutGitSuffix(resolved.slice(1)) };
}

/** Path of a project as the coordinator knows it. */
export function withoutGitSuffix(path: string): string {
  return path.replace(/\/+$/, '').replace(/\.git$/, '');
}

function joinRelative(base: string, relative: string): string | undefined {
  let remaining = relative;
  let head = base.replace(/\/+$/, '');
  let separator = '/';
  for (;;) {
    if (remaining.startsWith('./')) {
      remaining = remaining.slice(2);
    } else if (remaining.startsWith('../') || remaining === '..') {
      remaining = remaining.slice(3);
      const slash = head.lastIndexOf('/');
      const cut = slash === -1 ? head.lastIndexOf(':') : slash;
      if (cut === -1) return undefined;
      separator = slash === -1 ? ':' : '/';
      head = head.slice(0, cut);
    } else {
      break;
    }
  }
  const joined = `${head}${separator}${remaining}`;
  return joined.replace(/\/+$/, '');
}
