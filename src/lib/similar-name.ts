/** The known name that a wrong one was probably meant to be; undefined when none is close. */
export function similarName(wrong: string, known: readonly string[]): string | undefined {
  const normal = normalised(wrong);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(normal.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(normal, normalised(name));
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best ?? known.find((name) => isPart(normal, normalised(name)));
}

function isPart(wrong: string, known: string): boolean {
  return (wrong.length > 3 && known.startsWith(wrong)) || (known.length > 5 && wrong.endsWith(known));
}

function normalised(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, '');
}

/** Letters to add, take away or replace. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_value, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
