import { watch } from 'node:fs';

export interface FolderWatch {
  /** Idempotent. */
  close(): void;
}

/** How often a folder is looked at where the system has no more watches to give. */
const fallbackIntervalMs = 200;

/**
 * Calls back after something in a folder changed: soon, at least once, possibly without need. The folder must exist.
 * @param onChange gets the name of what changed, where the system tells it.
 */
export function watchFolder(path: string, onChange: (name?: string) => void): FolderWatch {
  let timer: NodeJS.Timeout | undefined;
  const fallBack = (): void => {
    timer ??= setInterval(() => onChange(), fallbackIntervalMs);
  };
  try {
    const watcher = watch(path, (_event, name) => onChange(name ?? undefined));
    watcher.on('error', () => {
      watcher.close();
      fallBack();
    });
    return {
      close: () => {
        watcher.close();
        clearInterval(timer);
      },
    };
  } catch {
    fallBack();
    return { close: () => clearInterval(timer) };
  }
}
