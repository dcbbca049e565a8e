import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { inputsOf, inputValue, ref } from '../builds/build.ts';
import { BUILT_IN_TASKS } from '../tasks/task-queues.ts';
import { queueName } from '../tasks/task-type.ts';
import { text } from '../text.ts';
import { timestamp } from '../timestamp.ts';

const { times: mostTimes, cronCharacters, shortestSeconds, longestSeconds, jitterSeconds } = LIMITS.schedules;
const { catchUpShortestSeconds, catchUpLongestSeconds, noteCharacters, zoneCharacters, patternCharacters } =
  LIMITS.schedules;

/** Part of URLs, of ids in Temporal and of Idempotency-Keys. */
export const scheduleName = z
  .string()
  .max(LIMITS.schedules.nameCharacters)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must begin with a letter or a digit, and go on with these or . _ -')
  .meta({ description: 'Name of the schedule.', example: 'weekly-images' });

/** Fields of a scheduled build, in addition to its configuration. The callback comes from the configuration. */
const buildFields = {
  ref: ref.optional().meta({ description: 'Branch or tag. Default: `default_ref` of the configuration.' }),
  image_type: text(LIMITS.builds.fieldCharacters).min(1).optional(),
  fedora_version: text(LIMITS.builds.fieldCharacters).min(1).optional(),
  inputs: inputsOf(inputValue).optional(),
  priority: z.int().min(1).max(5).optional().meta({ description: '1 (first) to 5 (last). Default: 3.' }),
};

export const scheduledBuild = z
  .strictObject({
    config: text(LIMITS.configurations.nameCharacters)
      .min(1)
      .meta({ description: 'Name of the build configuration.', example: 'fedora' }),
    ...buildFields,
  })
  .meta({ id: 'ScheduledBuild' });

export const scheduledBuilds = z
  .strictObject({
    configs: text(patternCharacters).min(1).meta({
      description:
        'Pattern of names of build configurations: `*` stands for any characters, `?` for one. Each firing triggers every configuration that matches then and is not retired.',
      example: 'fedora-*',
    }),
    ...buildFields,
  })
  .meta({ id: 'ScheduledBuilds' });

export const scheduledTask = z
  .strictObject({
    name: text(LIMITS.tasks.nameCharacters)
      .min(1)
      .meta({
        description: `One of GET /task-types. For ${BUILT_IN_TASKS.join(', ')}, a leading \`tasks.\` is ignored.`,
      }),
    args: z.array(z.unknown()).default([]),
    kwargs: z.record(z.string(), z.unknown()).default({}),
    queue: queueName.optional(),
    priority: z.int().min(0).max(9).optional(),
    expires_seconds: z.number().positive().max(LIMITS.tasks.expiresSeconds).optional().meta({
      description: 'The task is revoked if it has not started within this many seconds after it was made.',
    }),
  })
  .meta({ id: 'ScheduledTask' });

const cronText = text(cronCharacters).min(1);
const field = (standard: string, allowed: string) =>
  text(cronCharacters)
    .min(1)
    .default(standard)
    .meta({ description: `${allowed}. Default: \`${standard}\`.` });

/** Fields in cron's syntax: a list of values, ranges and steps. */
export const calendar = z
  .strictObject({
    second: field('0', '0 to 59'),
    minute: field('0', '0 to 59'),
    hour: field('0', '0 to 23'),
    day_of_month: field('*', '1 to 31'),
    month: field('*', '1 to 12, or names'),
    year: field('*', '2000 to 2100'),
    day_of_week: field('*', '0 to 7, or names; 0 and 7 are Sunday'),
  })
  .meta({ id: 'Calendar' });
export type Calendar = z.output<typeof calendar>;

export const overlap = z.enum(['skip', 'buffer_one', 'cancel_other', 'allow']).meta({ id: 'Overlap' });
export type Overlap = z.infer<typeof overlap>;

/** Body of PUT /schedules/{name}. With its defaults filled in, it is the definition of a schedule. */
export const scheduleBody = z
  .strictObject({
    build: scheduledBuild.optional(),
    builds: scheduledBuilds.optional(),
    task: scheduledTask.optional(),
    cron: z
      .array(cronText)
      .max(mostTimes)
      .default([])
      .meta({
        description:
          'Minute, hour, day of month, month, day of week; six fields add the year at the end, seven the second at the beginning. Or @yearly, @monthly, @weekly, @daily, @hourly. A time must match all fields.',
        example: ['0 3 * * SUN'],
      }),
    intervals: z
      .array(
        z.strictObject({
          every_seconds: z.int().min(shortestSeconds).max(longestSeconds),
          offset_seconds: z.int().min(0).max(longestSeconds).default(0),
        }),
      )
      .max(mostTimes)
      .default([])
      .meta({ description: 'Every so many seconds, counted from 1970-01-01T00:00:00Z and the offset.' }),
    calendars: z
      .array(calendar)
      .max(mostTimes)
      .default([])
      .meta({ description: 'As cron, with names for the fields.' }),
    except: z
      .array(calendar)
      .max(mostTimes)
      .default([])
      .meta({ description: 'Times that match one of these are left out. Every field counts, the second too.' }),
    time_zone: text(zoneCharacters).min(1).default('UTC').meta({
      description: 'IANA name of the time zone of `cron`, `calendars` and `except`.',
      example: 'Europe/Berlin',
    }),
    start_at: timestamp.nullable().default(null).meta({ description: 'Times before this one are left out.' }),
    end_at: timestamp.nullable().default(null).meta({ description: 'Times after this one are left out.' }),
    jitter_seconds: z.int().min(0).max(jitterSeconds).default(0).meta({
      description: 'Each firing waits for a random time of at most so many seconds.',
    }),
    overlap: overlap.default('skip').meta({
      description:
        'What the schedule does at a time when its last build or task has not ended. skip: nothing. buffer_one: it waits for the end, then fires; while one waits, later ones are skipped. cancel_other: it cancels the last one, and fires at once. allow: it fires.',
    }),
    catch_up_seconds: z.int().min(catchUpShortestSeconds).max(catchUpLongestSeconds).default(3_600).meta({
      description:
        'A time that was missed is caught up if it is not older than this. An older one is recorded as missed.',
    }),
    note: text(noteCharacters).nullable().default(null).meta({ description: 'For people.' }),
  })
  .meta({ id: 'ScheduleContent' });
export type ScheduleBody = z.input<typeof scheduleBody>;
export type ScheduleDefinition = z.output<typeof scheduleBody>;

/** A build or task that a firing made, and for which of several configurations. */
export const made = z.object({
  made: z.string().meta({ description: '`build:12` or `task:<id>`.', example: 'build:12' }),
  config: z.string().optional().meta({ description: 'Of a schedule for several configurations: which one.' }),
});
export type Made = z.infer<typeof made>;

export const scheduleStatus = z.enum(['active', 'paused', 'deleted']).meta({ id: 'ScheduleStatus' });
export type ScheduleStatus = z.infer<typeof scheduleStatus>;

export const scheduleView = scheduleBody
  .extend({
    name: scheduleName,
    status: scheduleStatus,
    version: z.int().meta({ description: 'Increases by one with each change of the definition.' }),
    paused_note: z.string().nullable().meta({ description: 'Why it is paused.' }),
    last_time: timestamp.nullable().meta({ description: 'The last scheduled time that made something.' }),
    last_made: z.array(made).meta({ description: 'What the last firing made, or found running.' }),
    waiting_time: timestamp.nullable().meta({ description: 'With buffer_one: the scheduled time that waits.' }),
    fired: z.int().meta({ description: 'Firings that made something, including those by hand.' }),
    skipped: z.int().meta({ description: 'Scheduled times that made nothing, each with a reason in its event.' }),
    created_at: timestamp,
    changed_at: timestamp,
    changed_by: z.string(),
  })
  .meta({ id: 'Schedule' });
export type ScheduleView = z.output<typeof scheduleView>;

export const scheduleList = z.object({ schedules: z.array(scheduleView) }).meta({ id: 'ScheduleList' });

export const scheduleParam = z.strictObject({ name: scheduleName });

/** Query of PUT /schedules/{name}. */
export const putScheduleQuery = z.strictObject({
  dry_run: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'true: only check it, and return what the schedule would be.' }),
});

/** Body of a request that pauses or resumes; may be left out. */
export const scheduleNote = z
  .strictObject({ note: text(noteCharacters).optional().meta({ description: 'Why, for people.' }) })
  .meta({ id: 'ScheduleNote' });

export const nextTimes = z
  .object({
    times: z.array(timestamp).meta({
      description: 'The next times, at most ten, as Temporal computes them. None: it never fires again.',
    }),
  })
  .meta({ id: 'NextTimes' });

/** Response to a firing by hand. */
export const firedAnswer = z
  .object({
    time: timestamp,
    made: z.array(made.extend({ replayed: z.boolean().optional() })),
    refused: z.array(z.object({ config: z.string(), detail: z.string() })),
  })
  .meta({ id: 'ScheduleFired' });
