import { z } from 'zod';
import { LIMITS } from '../budgets.ts';

export const youtubeQuota = z
  .object({
    date: z.iso.date().meta({ description: 'The current day in America/Los_Angeles.' }),
    units_used: z.int().meta({ description: 'Units used today.' }),
    units_remaining: z.int(),
    priority_reserved: z
      .int()
      .meta({ description: 'The last units of the day, which only tasks with priority may use.' }),
    percentage_used: z.number(),
    resets_at: z.iso.datetime().meta({ description: 'Midnight in America/Los_Angeles.' }),
  })
  .meta({ id: 'YouTubeQuota' });

/** Query of GET /quota. */
export const quotaHistoryQuery = z.strictObject({
  days: z.coerce.number().int().min(1).max(LIMITS.history.quotaDays).default(30).meta({
    description: 'How many days, today included.',
  }),
});

/** Response of GET /quota. */
export const quotaHistory = z
  .object({
    daily_units: z.int().meta({ description: 'Units a day, as set now.' }),
    priority_reserved: z.int(),
    resets_at: z.iso.datetime().meta({ description: 'Midnight in America/Los_Angeles.' }),
    days: z.array(
      z.object({
        date: z.iso.date().meta({ description: 'A day in America/Los_Angeles.' }),
        units_used: z.int(),
        units_remaining: z.int(),
        percentage_used: z.number(),
      }),
    ),
  })
  .meta({ id: 'QuotaHistory' });
