import { z } from 'zod';
import type { EventOf } from '../builds/event.ts';
import { made, scheduleBody } from './schedule.ts';

const by = z.string().meta({ description: 'Name of the API key, `local` if the API needs none, or `temporal`.' });
const time = z.string().meta({ description: 'The scheduled time.' });
const accounted_until = z.string().meta({ description: 'Every time until then is on record.' });
const definition = {
  workflow_id: z.string().meta({ description: 'Id of the schedule in Temporal.' }),
  version: z.int(),
  definition: scheduleBody,
  by,
};

/** Data of each event type of a schedule. Only these types can be appended. */
export const scheduleEventData = {
  schedule_created: z.object({ name: z.string(), ...definition }),
  schedule_changed: z.object(definition),
  schedule_paused: z.object({ by, note: z.string().nullable() }),
  schedule_resumed: z.object({ by, note: z.string().nullable() }),
  schedule_deleted: z.object({
    by,
    version: z
      .int()
      .optional()
      .meta({ description: 'The version that was deleted. Events of an older Hapax do not say it.' }),
  }),
  schedule_fired: z.object({
    time,
    made: z.array(made.extend({ replayed: z.boolean().optional() })),
    running: z.array(made).optional().meta({
      description:
        'What the schedule made before and had not ended yet. At a scheduled time: only builds that kept a configuration from firing. By hand: all of it.',
    }),
    refused: z
      .array(z.object({ config: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: 'Configurations for which no build can be made.' }),
    cancelled: z.array(z.string()).optional().meta({ description: 'What was asked to stop.' }),
    late_ms: z.int().meta({ description: 'How long after the scheduled time.' }),
    by: by.nullable().meta({ description: 'Who fired it by hand; null for a scheduled time.' }),
    accounted_until,
  }),
  schedule_buffered: z.object({ time, waits_for: z.array(z.string()) }),
  schedule_skipped: z.object({
    time,
    reason: z.enum(['overlap', 'late', 'paused', 'refused', 'no_match']),
    detail: z.string(),
    accounted_until,
  }),
  schedule_missed: z.object({
    times: z.array(z.string()).meta({
      description:
        'Scheduled times that made nothing: found later than the schedule catches up, or of a version that was changed before they fired.',
    }),
    detail: z.string(),
    accounted_until,
  }),
} as const;

export type ScheduleEventType = keyof typeof scheduleEventData;
export const SCHEDULE_EVENT_TYPES = Object.keys(scheduleEventData) as [ScheduleEventType, ...ScheduleEventType[]];

/** Something that happened to a schedule. */
export type ScheduleEvent = EventOf<typeof scheduleEventData>;
