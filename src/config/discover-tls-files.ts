import { join } from 'node:path';
import { fileExists } from '../platform/config-file.ts';
import type { TlsFiles } from './runner-config.ts';

/**
 * Fills TLS files that are not named with those that lie ready for the coordinator's host in the `certs` folder
 * (spec config.md §1).
 */
export async function discoverTlsFiles(named: TlsFiles, url: string, certsFolder: string): Promise<TlsFiles> {
  const host = URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  if (host === '') return named;
  const find = async (path: string, ending: string): Promise<string> => {
    if (path !== '') return path;
    const candidate = join(certsFolder, `${host}${ending}`);
    return (await fileExists(candidate)) ? candidate : '';
  };
  return {
    caFile: await find(named.caFile, '.crt'),
    certFile: await find(named.certFile, '.auth.crt'),
    keyFile: await find(named.keyFile, '.auth.key'),
  };
}
