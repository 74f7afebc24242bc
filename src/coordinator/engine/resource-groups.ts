/** Which job holds which resource group; one at a time per project and group. */
export class ResourceGroups {
  readonly #holders = new Map<string, number>();

  /** @returns whether the job has the group now. */
  acquire(projectPath: string, group: string, jobId: number): boolean {
    const key = keyOf(projectPath, group);
    const holder = this.#holders.get(key);
    if (holder !== undefined && holder !== jobId) return false;
    this.#holders.set(key, jobId);
    return true;
  }

  release(projectPath: string, group: string, jobId: number): void {
    const key = keyOf(projectPath, group);
    if (this.#holders.get(key) === jobId) this.#holders.delete(key);
  }
}

function keyOf(projectPath: string, group: string): string {
  return JSON.stringify([projectPath, group]);
}
