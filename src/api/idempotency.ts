import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { Refusal } from '../commands/refusal.ts';
import { IDEMPOTENCY_KEY_FORM, idempotencyKey } from '../contracts/builds/build.ts';
import { locationHeader } from './responses.ts';

/** The header of routes that create something. */
export const idempotencyHeader = z.object({
  'idempotency-key': z
    .string()
    .optional()
    .meta({
      description: `${IDEMPOTENCY_KEY_FORM}. The same key with the same content returns what it made before. With other content it is refused.`,
    }),
});

/** The problems that the header can cause. */
export const IDEMPOTENCY_PROBLEMS = ['invalid_idempotency_key', 'idempotency_key_reused'] as const;

/** The header of the response to a request that made nothing new. */
export const replayedHeader = {
  'Idempotent-Replayed': z.literal('true').optional().meta({ description: 'Present if it already existed.' }),
};

/** Returns the headers of the response to a request that creates something. */
export function headersOfNew(what: string, others: Record<string, z.ZodType> = {}) {
  return { Location: locationHeader(what), ...others, ...replayedHeader };
}

/** Returns the Idempotency-Key of a request; undefined if it has none. @throws {Refusal} if it is not valid. */
export function idempotencyKeyOf(c: Context): string | undefined {
  const key = idempotencyKey.optional().safeParse(c.req.header('idempotency-key'));
  if (!key.success) {
    throw new Refusal('invalid_idempotency_key', { detail: `it must be ${IDEMPOTENCY_KEY_FORM}` });
  }
  return key.data;
}

/** Returns the same with the route that scopes it, for {@link TaskRequest}. */
export function idempotencyOf(c: Context, route: string): { route: string; key: string } | undefined {
  const key = idempotencyKeyOf(c);
  return key === undefined ? undefined : { route, key };
}
