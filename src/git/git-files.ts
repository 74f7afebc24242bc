/** Files and folders in the project's temporary directory that belong to git's setup. */
export const gitFiles = {
  template: 'git-template',
  external: '.gitlab-runner.ext.conf',
  globalSeed: '.glr.gconf',
} as const;

/** The variable with the absolute path of the external configuration. */
export const externalConfigVariable = 'GLR_EXT_GIT_CONFIG_PATH';

/** How scripts of every shell refer to a variable they exported. */
export function reference(variable: string): string {
  return `\${${variable}}`;
}
