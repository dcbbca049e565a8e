import { duration, integer } from '../setting-forms.ts';
import { truth } from '../tasks/task-settings.ts';

/** Settings for dispatching and following builds. */
export const buildSettings = {
  RECONCILE_WINDOW: duration().default(120_000).meta({
    description: 'How long Hapax looks for the run of an ambiguous dispatch. Then it dispatches again or asks you.',
  }),
  DEDUP_WINDOW: duration().default(300_000).meta({
    description:
      'An equal request without Idempotency-Key gets the build that still runs. If that succeeded, it gets the same build until this time has passed since its trigger or its last retry; after a failure or a cancellation, it makes a new one. Also how long equal messages without an id are one task.',
  }),
  BUILD_DEADLINE: duration(1).default(10_800_000).meta({
    description:
      'Longest time a run may take; then Hapax cancels it, and the build ends. If the forge cannot cancel runs, the run may go on. Also how long Hapax retries a dispatch while GitHub cannot be reached or refuses the credential.',
  }),
  QUEUE_ENABLED: truth.default(true).meta({
    description:
      'true: the workflow of a build sends its dispatch. false: the API sends it within the trigger request. The field `dispatch` of a build configuration takes precedence.',
  }),
  QUEUE_MAX_RETRIES: integer(0, 100)
    .default(3)
    .meta({ description: 'How often Hapax dispatches again after ambiguous dispatches that made no run.' }),
  QUEUE_RETRY_DELAY: duration()
    .default(60_000)
    .meta({ description: 'Pause before the first of these retries. It doubles each time, with jitter.' }),
};
