import { z } from 'zod';

/** Returns a schema of a path in this API, relative to its root. */
const path = (what: string) => z.string().meta({ description: `Path of ${what}.` });

const workflow = z
  .string()
  .nullable()
  .meta({ description: "Its workflow in Temporal's Web UI; null if `TEMPORAL_UI_URL` is not set." });

export const buildLinks = z
  .object({
    self: path('the build'),
    events: path('its events'),
    verify: path('its proof'),
    run: z.string().nullable().meta({ description: 'Its run at GitHub, once known.' }),
    workflow,
  })
  .meta({ id: 'BuildLinks' });
export type BuildLinks = z.infer<typeof buildLinks>;

export const taskLinks = z
  .object({ self: path('the task'), events: path('its events'), workflow })
  .meta({ id: 'TaskLinks' });
export type TaskLinks = z.infer<typeof taskLinks>;

export const workflowId = z.string().meta({ description: 'Id of its workflow in Temporal.' });
