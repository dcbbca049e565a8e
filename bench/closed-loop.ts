/** When a round ends: after this long, or after this many operations. */
export type Until = { durationMs: number } | { count: number };

/** What a round measured. */
export interface Round {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Runs `operate` with this many at once, each beginning when one before it has ended. */
export async function closedLoop(
  { connections, until }: { connections: number; until: Until },
  operate: (n: number, connection: number) => Promise<void>,
): Promise<Round> {
  const latencies: number[] = [];
  let begun = 0;
  const startedAt = performance.now();
  const over = () => ('count' in until ? begun >= until.count : performance.now() - startedAt >= until.durationMs);
  await Promise.all(
    Array.from({ length: connections }, async (_, connection) => {
      while (!over()) {
        const n = begun++;
        const beganAt = performance.now();
        await operate(n, connection);
        latencies.push(performance.now() - beganAt);
      }
    }),
  );
  return {
    perSecond: (latencies.length / (performance.now() - startedAt)) * 1_000,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  };
}

/** The smallest value that at least this share of the values does not exceed. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: number[]): number {
  return quantile(values, 0.5);
}
