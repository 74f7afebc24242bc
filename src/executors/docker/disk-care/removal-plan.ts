/** Something that may go, as no job and no container needs it. */
export interface RemovableThing {
  readonly kind: 'image' | 'volume';
  /** Names to remove it by, in order; of an image without a name its id. */
  readonly removeBy: readonly string[];
  readonly name: string;
  readonly sizeBytes: number;
  readonly lastUsedMs: number;
}

/** How much room things may take. */
export interface DiskBudget {
  /** Of images that this manager pulled and its cache volumes together; undefined = any. */
  readonly maxBytes: number | undefined;
  /** That has to be free on the disk; undefined = none. */
  readonly minFreeBytes: number | undefined;
}

export interface DiskState {
  /** What all images that this manager pulled and its cache volumes take, also those that cannot go now. */
  readonly usedBytes: number;
  /** Free on the disk; undefined = not to be seen from here. */
  readonly freeBytes: number | undefined;
}

/** What has to go until the budget is kept: what was not used for the longest time first. */
export function planRemovals(
  things: readonly RemovableThing[],
  state: DiskState,
  budget: DiskBudget,
): readonly RemovableThing[] {
  const overSize = budget.maxBytes === undefined ? 0 : state.usedBytes - budget.maxBytes;
  const lacking =
    budget.minFreeBytes === undefined || state.freeBytes === undefined ? 0 : budget.minFreeBytes - state.freeBytes;
  let toFree = Math.max(overSize, lacking);
  const going: RemovableThing[] = [];
  for (const thing of things.toSorted((left, right) => left.lastUsedMs - right.lastUsedMs)) {
    if (toFree <= 0) break;
    going.push(thing);
    toFree -= thing.sizeBytes;
  }
  return going;
}
