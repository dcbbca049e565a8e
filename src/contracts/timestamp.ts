import { z } from 'zod';

/** An instant, ISO 8601 with its offset. */
export const timestamp = z.iso.datetime({ offset: true }).meta({ example: '2026-11-21T10:00:00.000Z' });
