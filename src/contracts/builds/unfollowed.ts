/**
 * Conclusions of builds that Hapax stopped following, some of them at their deadline, or whose run it could not find out about. Their
 * run may still be going.
 */
export const UNFOLLOWED: readonly (string | null)[] = [
  'workflow_ended',
  'workflow_lost',
  'timed_out',
  'dispatch_failed',
];
