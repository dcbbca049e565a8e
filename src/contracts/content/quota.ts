import { z } from 'zod';

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
