import type { HelperCommand } from './helper-command.ts';

export type { HelperCommand } from './helper-command.ts';

export interface ListedHelperCommand {
  readonly summary: string;
  /** Loads the command's code; nothing else of the helper is loaded before. */
  readonly load: () => Promise<HelperCommand>;
}

/** The commands that run in the job's environment, by name (spec commands.md §11). Hidden in the help. */
export const helperCommands: Readonly<Record<string, ListedHelperCommand>> = {
  'artifacts-downloader': {
    summary: 'download and extract build artifacts (internal)',
    load: async () => (await import('./artifacts-downloader.ts')).artifactsDownloader,
  },
  'artifacts-uploader': {
    summary: 'create and upload build artifacts (internal)',
    load: async () => (await import('./artifacts-uploader.ts')).artifactsUploader,
  },
  'cache-archiver': {
    summary: 'create and upload cache artifacts (internal)',
    load: async () => (await import('./cache-archiver.ts')).cacheArchiver,
  },
  'cache-extractor': {
    summary: 'download and extract cache artifacts (internal)',
    load: async () => (await import('./cache-extractor.ts')).cacheExtractor,
  },
  'cache-init': {
    summary: 'change permissions of cache directories (internal)',
    load: async () => (await import('./cache-init.ts')).cacheInit,
  },
  'health-check': {
    summary: 'check health for a specific address (internal)',
    load: async () => (await import('./health-check.ts')).healthCheck,
  },
};
