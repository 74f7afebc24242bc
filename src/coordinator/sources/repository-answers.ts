import type { ServedRepository } from '../submission.ts';

/** Answers of git about one repository. A snapshot never changes, so what one job was told holds for the next. */
export interface RepositoryAnswers {
  /** Ids that refs and HEAD point to; read once, and again after a failure. */
  tips(read: () => Promise<ReadonlySet<string>>): Promise<ReadonlySet<string>>;
  /** The whole answer to a request that was answered before. */
  find(request: string): Buffer | undefined;
  keep(request: string, answer: Buffer): void;
}

/** Most bytes of an answer that are kept: git is quick enough to pack more again. */
export const longestKeptBytes = 512 * 1024;
/** Jobs differ in depth and in what their build folders hold; a few kinds are enough. */
const mostKept = 16;

/** The answers of each repository, forgotten with it. */
export function answersByRepository(): (repository: ServedRepository) => RepositoryAnswers {
  const known = new WeakMap<ServedRepository, RepositoryAnswers>();
  return (repository) => {
    const answers = known.get(repository) ?? createAnswers();
    known.set(repository, answers);
    return answers;
  };
}

function createAnswers(): RepositoryAnswers {
  const kept = new Map<string, Buffer>();
  let tips: Promise<ReadonlySet<string>> | undefined;
  return {
    tips: (read) => {
      tips ??= read().catch((error: unknown) => {
        tips = undefined;
        throw error;
      });
      return tips;
    },
    find: (request) => kept.get(request),
    keep: (request, answer) => {
      if (answer.length > longestKeptBytes) return;
      kept.set(request, answer);
      const [oldest] = kept.keys();
      if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
    },
  };
}
