import { duration } from './setting-forms.ts';

/** Settings for data that is kept only for a time. */
export const retentionSettings = {
  KEEP_ARGUMENTS_FOR: duration(1_000).optional().meta({
    description:
      'How long after their end the arguments, results and errors of tasks, the inputs of builds, and callback URLs are kept. Then they are erased, within an hour. Not set: they are kept. The same for all workers.',
  }),
  KEEP_CONTENT_FOR: duration(1_000).optional().meta({
    description:
      'How long content is kept after it was brought in, or brought in with another text. Then it is erased, within an hour. Not set: it is kept. The same for all workers.',
  }),
};
