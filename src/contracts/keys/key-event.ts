import { z } from 'zod';
import type { EventOf } from '../builds/event.ts';

/** Rights of a key. `admin` includes the others; no other right includes another. */
export const RIGHTS = ['read', 'trigger', 'operate', 'configure', 'admin'] as const;
export type Right = (typeof RIGHTS)[number];

const by = z.string().meta({ description: 'Who asked for it.' });
const most = z.int().nullable();

/** Data of each event type of a key. Neither the key nor its hash is ever recorded. */
export const keyEventData = {
  key_created: z.object({
    key_id: z.string(),
    name: z.string(),
    rights: z.array(z.enum(RIGHTS)),
    repositories: z.array(z.string()).nullable().meta({ description: 'Null: all.' }),
    queues: z.array(z.string()).nullable().meta({ description: 'Null: all.' }),
    requests_per_minute: most,
    builds_in_flight: most,
    tasks_in_flight: most,
    expires_at: z.string().nullable(),
    by,
  }),
  key_revoked: z.object({ by }),
} as const;

export type KeyEventType = keyof typeof keyEventData;
export const KEY_EVENT_TYPES = Object.keys(keyEventData) as [KeyEventType, ...KeyEventType[]];

/** Something that happened to a key. */
export type KeyEvent = EventOf<typeof keyEventData>;
