import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { nextCursor, pageLimit } from '../paging.ts';
import { text } from '../text.ts';
import { timestamp } from '../timestamp.ts';
import { RIGHTS } from './key-event.ts';
import { repositoryPattern } from './repository-pattern.ts';

const { nameCharacters, restrictions, perMinute, inFlight } = LIMITS.keys;

const unique = <Entry extends z.ZodType>(entry: Entry) =>
  z
    .array(entry)
    .min(1)
    .max(restrictions)
    .refine((entries) => new Set(entries).size === entries.length, 'names one twice');

const repositories = unique(repositoryPattern).meta({
  description: 'The key reaches only builds of these repositories: `OWNER/NAME`, or `OWNER/*`.',
  example: ['octo/fedora-images'],
});
const queues = unique(text(nameCharacters).min(1)).meta({
  description: 'The key reaches only tasks of these queues.',
  example: ['youtube'],
});
const requestsPerMinute = z.int().min(1).max(perMinute).meta({
  description: 'Most requests in a minute; after a quiet minute, that many at once.',
  example: 600,
});
const buildsInFlight = z
  .int()
  .min(1)
  .max(inFlight)
  .meta({ description: 'Most builds of the caller that have not ended.' });
const tasksInFlight = z
  .int()
  .min(1)
  .max(inFlight)
  .meta({ description: 'Most tasks of the caller that have not ended.' });

/** Body of POST /keys. */
export const keyBody = z
  .strictObject({
    name: text(nameCharacters)
      .regex(/^[\w.@/-]+$/, 'must be letters, digits and . _ - @ /')
      .meta({
        description:
          'Who uses the key. Builds and events name the caller `key:NAME`. Keys with one name are one caller, so a new key can replace an old one and keep its Idempotency-Keys.',
        example: 'nightly',
      }),
    rights: unique(z.enum(RIGHTS)).meta({ example: ['read', 'trigger'] }),
    repositories: repositories.optional(),
    queues: queues.optional(),
    requests_per_minute: requestsPerMinute.optional(),
    builds_in_flight: buildsInFlight.optional(),
    tasks_in_flight: tasksInFlight.optional(),
    expires_at: timestamp
      .optional()
      .meta({ description: 'The key is refused from then on. Left out: it never expires.' }),
  })
  .refine(({ rights, repositories: only, queues: some }) => !rights.includes('admin') || (!only && !some), {
    path: ['rights'],
    error: 'admin cannot be restricted to repositories or queues',
  })
  .meta({ id: 'KeyBody' });
export type KeyBody = z.infer<typeof keyBody>;

export const keyIdParam = z.object({
  id: z
    .string()
    .regex(/^key_[0-9a-f]{24}$/, 'must be the id of a key')
    .meta({ example: 'key_0d6f5b1c2a3948576a7b8c9d' }),
});

/** A key as the API shows it. */
export const keyView = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(['active', 'expired', 'revoked']),
    rights: z.array(z.enum(RIGHTS)),
    repositories: repositories.nullable(),
    queues: queues.nullable(),
    requests_per_minute: requestsPerMinute.nullable(),
    builds_in_flight: buildsInFlight.nullable(),
    tasks_in_flight: tasksInFlight.nullable(),
    expires_at: z.string().nullable(),
    created_at: z.string(),
    created_by: z.string(),
    revoked_at: z.string().nullable(),
    revoked_by: z.string().nullable(),
    last_used_at: z.string().nullable().meta({ description: 'Exact to a minute. Null: never used, or not saved yet.' }),
  })
  .meta({ id: 'Key' });
export type KeyView = z.infer<typeof keyView>;

export const newKeyView = keyView
  .extend({ key: z.string().meta({ description: 'The key. It is shown now and never again.' }) })
  .meta({ id: 'NewKey' });
export type NewKey = z.infer<typeof newKeyView>;

export const keyListQuery = z.strictObject({
  limit: pageLimit,
  cursor: z.string().max(40).optional(),
});

export const keyPage = z.object({ keys: z.array(keyView), next_cursor: nextCursor }).meta({ id: 'KeyPage' });
