import { basename, join } from 'node:path';
import { errorMessage, StorageError, systemErrorCode } from '../lib/errors.ts';
import { isPresent } from '../platform/file-presence.ts';
import { type HeldLock, holdLock, isLockHeld, isUnfinishedLock } from '../platform/lock-socket.ts';
import {
  listFolder,
  makePrivateFolder,
  moveEntry,
  probeWritable,
  removeTree,
  removeTreeAsync,
  writePrivateFile,
} from '../platform/private-folder.ts';
import { randomHex } from '../platform/random.ts';
import { type JobJournal, openJobJournal, readJobRecords } from './job-journal.ts';
import { adoptClaims, createNumberClaims, type NumberClaims, removeStaleClaims } from './number-claims.ts';
import type { JournalRecord } from './records.ts';

/**
 * The jobs that run on this host, on disk:
 *
 *     locks/<manager>           a socket that exists and answers as long as that manager lives
 *     jobs/<job>/owner.<manager>
 *     jobs/<job>/records        see records.ts
 *     jobs/<job>/…              the trace, the stages' scripts and output
 *     numbers/…                 see number-claims.ts
 *     scratch/<manager>.<name>  whatever a manager needs while it lives
 *     jobs/.new-<manager>.<job>, jobs/.gone-<manager>.<job>   not complete yet, not complete any more
 *
 * A job folder never moves, so whatever writes into it goes on doing so when its manager dies. Ownership changes by
 * renaming the owner file: of several managers that see a dead owner one succeeds.
 */
export interface Journal {
  /**
   * Makes the folder of a new job, complete with its first record when it appears.
   * @throws StorageError
   */
  create(first: JournalRecord): JobJournal;
  /** Takes over every job whose manager is dead. Damaged ones are given back as problems and left for a person to see. */
  adoptOrphans(): Promise<Adoption>;
  readonly numbers: NumberClaims;
  /**
   * A new path beside the jobs, on their file system, for what this manager needs while it lives. What it leaves there
   * goes when a later one adopts its jobs.
   */
  scratchFolder(): string;
  /** Whether there is a job in a folder of this name, whoever runs it. */
  hasJob(folderName: string): boolean;
  /** Why no job can be taken now (disk full, permissions), or undefined. */
  problem(): string | undefined;
  /** Gives the manager's lock back. */
  close(): Promise<void>;
}

export interface Adoption {
  readonly jobs: readonly JobJournal[];
  readonly problems: readonly StorageError[];
}

const ownerPrefix = 'owner.';

/**
 * Opens the journal below a state folder.
 * @throws StorageError when the folder cannot be used.
 */
export async function openJournal(folder: string): Promise<Journal> {
  const locks = join(folder, 'locks');
  const jobs = join(folder, 'jobs');
  const numbers = join(folder, 'numbers');
  const scratch = join(folder, 'scratch');
  const manager = randomHex(8);
  let lock: HeldLock;
  try {
    for (const path of [folder, locks, jobs, numbers, scratch]) makePrivateFolder(path);
    lock = await holdLock(join(locks, manager));
  } catch (error) {
    throw new StorageError(`cannot use the journal folder ${folder}: ${errorMessage(error)}`, {
      cause: error,
      hint: 'Give a writable folder with --state-dir.',
    });
  }
  const place = { jobs, locks, numbers, scratch, manager };
  return {
    create: (first) => createJob(place, first),
    adoptOrphans: () => adoptOrphans(place),
    numbers: createNumberClaims(numbers, manager),
    hasJob: (folderName) => isPresent(join(jobs, folderName)),
    scratchFolder: () => join(scratch, `${manager}.${randomHex(4)}`),
    problem: () => probeProblem(folder),
    close: () => lock.release(),
  };
}

interface JournalPlace {
  readonly jobs: string;
  readonly locks: string;
  readonly numbers: string;
  readonly scratch: string;
  readonly manager: string;
}

function createJob(place: JournalPlace, first: JournalRecord): JobJournal {
  const { jobs, manager } = place;
  const name = `${first.type === 'received' ? first.jobId : 0}-${randomHex(4)}`;
  const unfinished = join(jobs, `.new-${manager}.${name}`);
  const folder = join(jobs, name);
  try {
    makePrivateFolder(unfinished);
    writePrivateFile(join(unfinished, `${ownerPrefix}${manager}`), '');
    const draft = openJobJournal(unfinished);
    draft.append(first);
    draft.close();
    moveEntry(unfinished, folder);
    return openOwnJob(place, folder);
  } catch (error) {
    removeTree(unfinished);
    if (error instanceof StorageError) throw error;
    throw new StorageError(`cannot make the journal of a job in ${jobs}: ${errorMessage(error)}`, { cause: error });
  }
}

/** A folder that is removed step by step must not look like a job when the manager dies meanwhile. */
function openOwnJob({ jobs, manager }: JournalPlace, folder: string): JobJournal {
  return openJobJournal(folder, async () => {
    const gone = join(jobs, `.gone-${manager}.${basename(folder)}`);
    try {
      moveEntry(folder, gone);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
    await removeTreeAsync(gone);
  });
}

async function adoptOrphans(place: JournalPlace): Promise<Adoption> {
  const adopted: JobJournal[] = [];
  const problems: StorageError[] = [];
  const liveness = new Map<string, Promise<boolean>>();
  for (const name of listFolder(place.jobs)) {
    const folder = join(place.jobs, name);
    const maker = /^\.(?:new|gone)-([^.]*)\./.exec(name)?.[1];
    if (maker !== undefined) {
      if (!(await isAlive(place, maker, liveness))) removeIfPossible(folder);
      continue;
    }
    if (!(await takeOver(place, folder, liveness))) continue;
    try {
      const job = openOwnJob(place, folder);
      adopted.push(job);
      adoptClaims(place.numbers, place.manager, job.records);
    } catch (error) {
      problems.push(error instanceof StorageError ? error : new StorageError(errorMessage(error), { cause: error }));
    }
  }
  const owns = (manager: string): Promise<boolean> => isAlive(place, manager, liveness);
  await removeStaleClaims(place.numbers, owns, () => recordsOfAllJobs(place));
  await removeDeadScratch(place, owns);
  await removeDeadLocks(place, liveness);
  return { jobs: adopted, problems };
}

/** Of all managers; jobs that cannot be read have no claims. */
function* recordsOfAllJobs({ jobs }: JournalPlace): Iterable<readonly JournalRecord[]> {
  for (const name of listFolder(jobs)) {
    const records = readJobRecords(join(jobs, name));
    if (records !== undefined) yield records;
  }
}

/** Another manager may be at it too; the next start tries again. */
function removeIfPossible(folder: string): void {
  try {
    removeTree(folder);
  } catch {
    // It harms nobody.
  }
}

/** Makes a job ours if its owner is dead. */
async function takeOver(
  place: JournalPlace,
  folder: string,
  liveness: Map<string, Promise<boolean>>,
): Promise<boolean> {
  const ownerFile = listFolder(folder).find((entry) => entry.startsWith(ownerPrefix));
  if (ownerFile === undefined) return false;
  const owner = ownerFile.slice(ownerPrefix.length);
  if (owner === place.manager || (await isAlive(place, owner, liveness))) return false;
  try {
    moveEntry(join(folder, ownerFile), join(folder, `${ownerPrefix}${place.manager}`));
    return true;
  } catch {
    // Another manager was quicker, or the job ended meanwhile.
    return false;
  }
}

function isAlive(place: JournalPlace, owner: string, liveness: Map<string, Promise<boolean>>): Promise<boolean> {
  const known = liveness.get(owner);
  if (known !== undefined) return known;
  const answer = isLockHeld(join(place.locks, owner));
  liveness.set(owner, answer);
  return answer;
}

async function removeDeadScratch(
  { scratch }: JournalPlace,
  isAlive: (manager: string) => Promise<boolean>,
): Promise<void> {
  for (const name of listFolder(scratch)) {
    if (!(await isAlive(name.split('.')[0] ?? ''))) removeIfPossible(join(scratch, name));
  }
}

async function removeDeadLocks(place: JournalPlace, liveness: Map<string, Promise<boolean>>): Promise<void> {
  for (const owner of listFolder(place.locks)) {
    if (owner === place.manager || isUnfinishedLock(owner) || (await isAlive(place, owner, liveness))) continue;
    removeTree(join(place.locks, owner));
  }
}

function probeProblem(folder: string): string | undefined {
  try {
    probeWritable(folder);
    return undefined;
  } catch (error) {
    return `the journal folder ${folder} cannot be written: ${errorMessage(error)}`;
  }
}
