import { join } from 'node:path';
import { fileMarks } from '../../platform/file-marks.ts';

const systemFiles = ['/etc/profile', '/etc/profile.d', '/etc/bash.bashrc', '/etc/environment'];
const homeFiles = ['.bash_profile', '.bash_login', '.profile', '.bashrc', '.bash_aliases', '.kshrc'];

/** Changes with the files that login shells usually read. */
export function startupFileMarks(home: string | undefined): string {
  const own = home === undefined || home === '' ? [] : homeFiles.map((name) => join(home, name));
  return fileMarks([...systemFiles, ...own]);
}
