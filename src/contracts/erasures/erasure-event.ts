import { z } from 'zod';
import type { EventOf } from '../builds/event.ts';

/** Things that have no stream in the log and can be erased. */
export const ERASED_OUTSIDE = ['content', 'message'] as const;

/** Data of each event type about erasures of things without a stream. Erasures of builds and tasks are events in their own streams. */
export const erasureEventData = {
  erasure_recorded: z.object({
    erasure_id: z.string(),
    what: z.enum(ERASED_OUTSIDE).meta({ description: 'What kind of thing was erased. Not which one.' }),
    by: z.string().meta({ description: 'Who erased it; `retention` if KEEP_CONTENT_FOR had passed.' }),
  }),
} as const;

export type ErasureEventType = keyof typeof erasureEventData;
export const ERASURE_EVENT_TYPES = Object.keys(erasureEventData) as [ErasureEventType, ...ErasureEventType[]];

/** Something that was erased. */
export type ErasureEvent = EventOf<typeof erasureEventData>;
