import { z } from 'zod';

/** The requests that a fault can hit. `any` is any of them, except deliveries of webhooks. */
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
  'artifacts',
  'attestations',
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
  // The request is carried out, but its response is wrong.
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

/** A fault that hits the next `times` requests that match it. */
export const faultSchema = z.strictObject({
  on: z.enum([...requestKinds, 'any', 'webhook']),
  kind: z.enum(kinds),
  /** How many requests (or deliveries) it hits; null: all, until the faults are cleared. */
  times: z.number().int().positive().nullable().default(1),
  /** Only requests whose path, query or body contain this text. */
  match: z.string().optional(),
  /** The `message` of a reject-with-... */
  message: z.string().optional(),
  /** 403 or 429, for rate limits. */
  status: z.union([z.literal(403), z.literal(429)]).default(403),
  /** Sent as `retry-after`, for rate limits; left out: without that header. */
  retry_after_s: z.number().int().nonnegative().optional(),
  /** For a primary rate limit: how many seconds from now `x-ratelimit-reset` is. */
  reset_in_s: z.number().int().nonnegative().default(60),
  /** `lag`: runs younger than this are missing. `stale`: the listing is this old. `delay`: how long a delivery is delayed. */
  ms: z.number().int().nonnegative().default(60_000),
  /** `omit`: how many of the newest runs are left out; null: all. */
  count: z.number().int().positive().nullable().default(null),
});

/** A fault that can never hit anything is a mistake in a test, so it is refused. */
export const applicableFaultSchema = faultSchema.refine((fault) => targets(fault.kind).includes(fault.on), {
  error: (issue) => `this kind does not go with "on": "${(issue.input as Fault).on}"`,
});

/** See `faultSchema`. */
export type Fault = z.infer<typeof faultSchema>;

/** Returns the status of a `reject-with-` or `accept-then-` fault, if it has one. */
export function statusOf(kind: Fault['kind']): number | undefined {
  return kind in statuses ? statuses[kind as keyof typeof statuses] : undefined;
}

/** Says whether the request is refused before anything is done. */
export function strikesBefore(kind: Fault['kind']): boolean {
  return (
    kind.startsWith('reject-with-') ||
    ['reset', 'hang', '400-on-unknown-field', 'primary-rate-limit', 'secondary-rate-limit'].includes(kind)
  );
}

/** Says whether the fault changes what a listing shows. */
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

/** The remaining faults, in the order in which they were requested. */
export interface FaultQueue {
  add(faults: readonly Fault[]): void;
  clear(): void;
  pending(): readonly Fault[];
  /** Uses up the first fault that matches, and returns it. */
  take(on: RequestKind | 'webhook', text: string): Fault | undefined;
}

/** Creates an empty queue. */
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
