/** The password of HTTP basic authentication, where the user is the one that job tokens go with. */
export function jobTokenOf(authorization: string | undefined): string | undefined {
  const match = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '');
  if (match?.[1] === undefined) return undefined;
  const decoded = Buffer.from(match[1], 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon === -1 || decoded.slice(0, colon) !== 'gitlab-ci-token') return undefined;
  return decoded.slice(colon + 1);
}
