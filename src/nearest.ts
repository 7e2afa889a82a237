/** What is shorter begins too many names. */
const SHORTEST = 3;
/** Who slips in a longer name wrote no name; characters. */
const LONGEST = 64;
/** Names that one is compared with at most: scripts and servers may bring any number. */
const MOST_COMPARED = 500;

/** The known name nearest to a mistyped one, or the one that begins with it (`ttl`, `ttl_ms`) and that all others do that begin so (`exec`, `execute`); undefined when none is near enough to be meant, or the name is longer than any. Looks at the first 500 known names. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined;
  const candidates = firstOf(known);
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
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
  const [shortest, ...longer] = candidates.filter((candidate) => candidate.toLowerCase().startsWith(wanted)).sort((a, b) => a.length - b.length);
  return longer.every((candidate) => candidate.startsWith(shortest ?? '')) ? shortest : undefined;
}

function firstOf(known: Iterable<string>): string[] {
  const first: string[] = [];
  let looked = 0;
  for (const one of known) {
    if (++looked > MOST_COMPARED) break;
    if (one.length <= LONGEST) first.push(one);
  }
  return first;
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
