import { ApiError } from '../lib/errors.ts';

/**
 * The base of all requests for a configured coordinator URL (spec protocol.md §1.1).
 * @throws ApiError `protocol` when the URL cannot be used.
 */
export function apiBaseUrl(configured: string): URL {
  const trimmed = configured.trim().replace(/\/+$/, '').replace(/\/ci$/, '');
  const url = URL.parse(`${trimmed}/api/v4/`);
  if (url === null) {
    throw new ApiError('protocol', `The coordinator URL ${JSON.stringify(configured)} cannot be read`, {
      hint: 'Set `url` of the runner to something like https://gitlab.example.com',
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ApiError(
      'protocol',
      `only http or https scheme supported (coordinator URL ${JSON.stringify(configured)})`,
    );
  }
  return url;
}
