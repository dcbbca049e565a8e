import { z } from 'zod';

/** An instant, ISO 8601 with its offset. */
export const timestamp = z.iso.datetime({ offset: true }).meta({ example: '2026-11-21T10:00:00.000Z' });

/** Query parameter `at`. */
export const asOf = timestamp.optional().meta({
  description:
    'As it was at this time. Any time that the API shows works: the `timestamp` or `recorded_at` of an event includes that event and all before it.',
});
