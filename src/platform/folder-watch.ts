import { watch } from 'node:fs';

export interface FolderWatch {
  /** Idempotent. */
  close(): void;
}

/** How often a folder is looked at where the system has no more watches to give. */
const fallbackIntervalMs = 200;

/**
 * Calls back after something in a folder changed: soon, at least once, possibly without need. The folder must exist.
 */
export function watchFolder(path: string, onChange: () => void): FolderWatch {
  let timer: NodeJS.Timeout | undefined;
  const fallBack = (): void => {
    timer ??= setInterval(onChange, fallbackIntervalMs);
  };
  try {
    const watcher = watch(path, () => onChange());
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
