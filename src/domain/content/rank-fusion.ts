/** The constant of the paper that proposed it (Cormack, Clarke and Büttcher, SIGIR 2009); dampens the first ranks. */
const K = 60;

/**
 * Merges rankings of the same things into one, best first, by the sum of their reciprocal ranks. An item that several rankings place
 * high comes before one that a single ranking places first. The scores of the rankings themselves need not be comparable.
 * @param having items that come before all others, whatever their ranks.
 */
export function fuseRanks<Id>(
  rankings: ReadonlyArray<readonly Id[]>,
  having: readonly Id[] = [],
): Array<{ id: Id; score: number }> {
  const scores = new Map<Id, number>(having.map((id) => [id, 1]));
  for (const ranking of rankings) {
    for (const [rank, id] of ranking.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (K + rank + 1));
  }
  // The sort is stable: of equal scores, the one that an earlier ranking names comes first.
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score);
}
