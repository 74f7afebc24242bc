import { errorMessage, PrepareError } from '../../../lib/errors.ts';
import { readConfigFile } from '../../../platform/config-file.ts';

const label = { security_opt: 'security options', services_security_opt: 'services security options' } as const;

/**
 * `security_opt` as the daemon wants it: profiles of seccomp are files of this host, their content is sent
 * (spec docker.md §9.2).
 * @throws PrepareError
 */
export async function readSecurityOptions(
  options: readonly string[],
  key: keyof typeof label,
): Promise<readonly string[]> {
  return await Promise.all(
    options.map(async (option) => {
      const value = /^seccomp[=:](.*)$/s.exec(option)?.[1];
      if (value === undefined || value.startsWith('{') || value === 'unconfined' || value === 'builtin') return option;
      return `seccomp=${await readProfile(value, label[key])}`;
    }),
  );
}

async function readProfile(path: string, what: string): Promise<string> {
  let text: string;
  try {
    const file = await readConfigFile(path);
    if (file === undefined) throw new Error('there is no such file');
    text = file.text;
  } catch (error) {
    throw new PrepareError(`processing ${what}: failed to read seccomp profile from ${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new PrepareError(`processing ${what}: seccomp profile ${path} is not valid JSON`, { cause: error });
  }
}
