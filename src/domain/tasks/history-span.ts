import { LIMITS } from '../../contracts/budgets.ts';
import { BUCKET_SECONDS } from '../../contracts/tasks/queue.ts';

/** How many buckets a chart shows well. */
const READABLE = 300;

/** Returns how many buckets a span of time has. @param ms its length. */
export function bucketsIn(ms: number, bucketSeconds: number): number {
  return Math.ceil(ms / (bucketSeconds * 1_000)) + 1;
}

/** Returns the shortest bucket, in seconds, that gives a span of time no more buckets than a chart shows well. */
export function bucketFor(ms: number): (typeof BUCKET_SECONDS)[number] {
  return BUCKET_SECONDS.find((seconds) => bucketsIn(ms, seconds) <= READABLE + 1) ?? 86_400;
}

/** Says whether a span has more buckets than one response may hold. */
export function hasTooManyBuckets(ms: number, bucketSeconds: number): boolean {
  return bucketsIn(ms, bucketSeconds) > LIMITS.history.buckets;
}
