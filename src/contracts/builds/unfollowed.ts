/** Conclusions of builds that Hapax stopped following, some of them at their deadline. Their run may still be going. */
export const UNFOLLOWED: readonly (string | null)[] = ['workflow_ended', 'workflow_lost', 'timed_out'];
