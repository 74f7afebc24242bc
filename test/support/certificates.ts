import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestAuthority {
  readonly certFile: string;
  /** Issues a certificate for a server of these names (default: this machine), or for a client. */
  issue(name: string, subjectAltName?: string): { readonly certFile: string; readonly keyFile: string };
}

/** A certificate authority of its own, made with openssl in a folder. */
export function createTestAuthority(folder: string, name: string): TestAuthority {
  const file = (suffix: string): string => join(folder, `${name}${suffix}`);
  const openssl = (args: readonly string[]): void => {
    execFileSync('openssl', args, { stdio: 'ignore' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    [
      ['req', '-x509', ...newKey, '-keyout', file('.key'), '-out', file('.crt')],
      ['-days', '2', '-subj', `/CN=${name} test authority`],
    ].flat(),
  );
  return {
    certFile: file('.crt'),
    issue: (subject, subjectAltName = 'IP:127.0.0.1,DNS:localhost') => {
      const own = (suffix: string): string => join(folder, `${subject}${suffix}`);
      writeFileSync(own('.ext'), `subjectAltName=${subjectAltName}\n`);
      openssl(['req', ...newKey, '-keyout', own('.key'), '-out', own('.csr'), '-subj', `/CN=${subject}`]);
      openssl(
        [
          ['x509', '-req', '-in', own('.csr'), '-CA', file('.crt'), '-CAkey', file('.key'), '-CAcreateserial'],
          ['-out', own('.crt'), '-days', '2', '-extfile', own('.ext')],
        ].flat(),
      );
      return { certFile: own('.crt'), keyFile: own('.key') };
    },
  };
}
