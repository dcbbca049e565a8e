import { LIMITS } from '../../contracts/budgets.ts';
import { BUCKET_SECONDS } from '../../contracts/tasks/queue.ts';

/** Buckets that a chart shows well. */
const READABLE = 300;

/** How many buckets a span of time has. @param ms its length. */
export function bucketsIn(ms: number, bucketSeconds: number): number {
  return Math.ceil(ms / (bucketSeconds * 1_000)) + 1;
}

/** The shortest bucket with which a span of time has as many as a chart shows. */
export function bucketFor(ms: number): (typeof BUCKET_SECONDS)[number] {
  return BUCKET_SECONDS.find((seconds) => bucketsIn(ms, seconds) <= READABLE + 1) ?? 86_400;
}

/** Whether a span has more buckets than one response may. */
export function hasTooManyBuckets(ms: number, bucketSeconds: number): boolean {
  return bucketsIn(ms, bucketSeconds) > LIMITS.history.buckets;
}
