import { z } from 'zod';
import type { RecordedEvent } from './event.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** A line of `hapax audit export`: an event with everything that its hash covers. No hash would cover a further member. */
export const exportedEvent: z.ZodType<RecordedEvent> = z.strictObject({
  position: z.int().min(1),
  stream: z.string(),
  seq: z.int().min(1),
  type: z.string(),
  from_status: z.string().nullable(),
  to_status: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
  occurred_at: instant,
  recorded_at: instant,
  dedupe_key: z.string(),
  previous_hash: hash,
  hash,
});
