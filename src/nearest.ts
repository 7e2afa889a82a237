/** What is shorter begins too many names. */
const SHORTEST = 3;

/** The known name nearest to a mistyped one, or the one that begins with it (`ttl`, `ttl_ms`) and that all others do that begin so (`exec`, `execute`); undefined when none is near enough to be meant. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const found = distance(wanted, candidate.toLowerCase());
    // What shares no letter is not meant.
    if (found < bestDistance && found < Math.max(wanted.length, candidate.length)) {
      best = candidate;
      bestDistance = found;
    }
  }
  if (best !== undefined) return best;
  if (wanted.length < SHORTEST) return undefined;
  const [shortest, ...longer] = [...known].filter((candidate) => candidate.toLowerCase().startsWith(wanted)).sort((a, b) => a.length - b.length);
  return longer.every((candidate) => candidate.startsWith(shortest ?? '')) ? shortest : undefined;
}

/** Damerau-Levenshtein distance in its restricted form (optimal string alignment): insertions, deletions, substitutions and swaps of neighbours. */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
