import { z } from 'zod';

/** The requests a fault can be aimed at. `any` is any of them, deliveries of webhooks excepted. */
export const requestKinds = [
  'dispatch',
  'list',
  'get',
  'cancel',
  'rerun',
  'delete',
  'repository',
  'workflow',
  'jobs',
  'annotations',
  'hooks',
  'redeliver',
  'rate_limit',
  'root',
] as const;

/** See `requestKinds`. */
export type RequestKind = (typeof requestKinds)[number];

const statuses = {
  'reject-with-400': 400,
  'reject-with-401': 401,
  'reject-with-403': 403,
  'reject-with-404': 404,
  'reject-with-409': 409,
  'reject-with-422': 422,
  'reject-with-500': 500,
  'reject-with-502': 502,
  'reject-with-503': 503,
  'reject-with-504': 504,
  'accept-then-500': 500,
  'accept-then-502': 502,
  'accept-then-503': 503,
  'accept-then-504': 504,
} as const;

const kinds = [
  ...(Object.keys(statuses) as (keyof typeof statuses)[]),
  // The request is not carried out.
  'reset',
  'hang',
  '400-on-unknown-field',
  'primary-rate-limit',
  'secondary-rate-limit',
  // The request is carried out, its answer is not what it should be.
  'accept-then-reset',
  'accept-then-hang',
  'malformed-200',
  '200-without-id',
  '204-when-asked-for-details',
  // Listings only.
  'lag',
  'omit',
  'stale',
  // Webhooks only.
  'lose',
  'double',
  'reorder',
  'delay',
] as const;

/** One thing that goes wrong, with the next `times` requests it fits. */
export const faultSchema = z.strictObject({
  on: z.enum([...requestKinds, 'any', 'webhook']),
  kind: z.enum(kinds),
  /** How many requests (or deliveries) it strikes; null: all, until the faults are cleared. */
  times: z.number().int().positive().nullable().default(1),
  /** Only requests whose path, query or body contain this text. */
  match: z.string().optional(),
  /** The `message` of a reject-with-... */
  message: z.string().optional(),
  /** 403 or 429, for rate limits. */
  status: z.union([z.literal(403), z.literal(429)]).default(403),
  /** Sent as `retry-after`, for rate limits; left out: no such header. */
  retry_after_s: z.number().int().nonnegative().optional(),
  /** When `x-ratelimit-reset` is, from now, for a primary rate limit. */
  reset_in_s: z.number().int().nonnegative().default(60),
  /** `lag`: younger runs are missing. `stale`: the listing is as it was so long ago. `delay`: of a delivery. */
  ms: z.number().int().nonnegative().default(60_000),
  /** `omit`: how many of the newest runs are left out; null: all. */
  count: z.number().int().positive().nullable().default(null),
});

/** A fault that could never strike is a mistake in a test, so it is refused. */
export const applicableFaultSchema = faultSchema.refine((fault) => targets(fault.kind).includes(fault.on), {
  error: (issue) => `this kind does not go with "on": "${(issue.input as Fault).on}"`,
});

/** See `faultSchema`. */
export type Fault = z.infer<typeof faultSchema>;

/** The status of a `reject-with-` or `accept-then-` fault that has one. */
export function statusOf(kind: Fault['kind']): number | undefined {
  return kind in statuses ? statuses[kind as keyof typeof statuses] : undefined;
}

/** Whether the request is refused before anything is done. */
export function strikesBefore(kind: Fault['kind']): boolean {
  return (
    kind.startsWith('reject-with-') ||
    ['reset', 'hang', '400-on-unknown-field', 'primary-rate-limit', 'secondary-rate-limit'].includes(kind)
  );
}

/** Whether the fault changes what a listing shows. */
export function strikesListing(kind: Fault['kind']): boolean {
  return kind === 'lag' || kind === 'omit' || kind === 'stale';
}

function targets(kind: Fault['kind']): readonly Fault['on'][] {
  if (strikesListing(kind)) return ['list'];
  if (['lose', 'double', 'reorder', 'delay'].includes(kind)) return ['webhook'];
  if (['400-on-unknown-field', 'malformed-200', '200-without-id', '204-when-asked-for-details'].includes(kind)) {
    return ['dispatch'];
  }
  return [...requestKinds, 'any'];
}

/** The faults still to come, in the order they were asked for. */
export interface FaultQueue {
  add(faults: readonly Fault[]): void;
  clear(): void;
  pending(): readonly Fault[];
  /** Uses up, and returns, the first fault that fits. */
  take(on: RequestKind | 'webhook', text: string): Fault | undefined;
}

/** An empty queue. */
export function faultQueue(): FaultQueue {
  let queue: Fault[] = [];
  return {
    add(faults) {
      queue.push(...faults.map((fault) => ({ ...fault })));
    },
    clear() {
      queue = [];
    },
    pending: () => queue,
    take(on, text) {
      const fault = queue.find(
        (one) =>
          (one.on === on || (one.on === 'any' && on !== 'webhook')) &&
          (one.match === undefined || text.includes(one.match)),
      );
      if (fault !== undefined && fault.times !== null) {
        fault.times -= 1;
        if (fault.times === 0) queue = queue.filter((one) => one !== fault);
      }
      return fault;
    },
  };
}
