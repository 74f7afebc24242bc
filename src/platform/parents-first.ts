interface Related {
  readonly pid: number;
  readonly parent: number;
}

/**
 * Processes in the order to signal them: a shell whose child is ended before it would go on with its next command.
 * Process ids do not tell who is older: they start anew after the highest.
 */
export function parentsFirst<T extends Related>(processes: readonly T[]): readonly T[] {
  const children = Map.groupBy(processes, ({ parent }) => parent);
  const pids = new Set(processes.map(({ pid }) => pid));
  const ordered = new Set(processes.filter(({ parent, pid }) => parent === pid || !pids.has(parent)));
  for (const entry of ordered) for (const child of children.get(entry.pid) ?? []) ordered.add(child);
  return ordered.size === processes.length ? [...ordered] : [...new Set([...ordered, ...processes])];
}
