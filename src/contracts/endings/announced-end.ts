/**
 * How the dedupe keys begin of ends that a command announces before it records them. If the subject ends in another way first, such an end
 * is never recorded.
 */
export const ANNOUNCED_ENDS = {
  /** Of what has no workflow any more. */
  unled: 'unled:',
  /** Of tasks that were revoked when their workflow had closed. */
  revoked: 'revoked:',
} as const;

/** Says whether the dedupe key of an end is that of an announced one. */
export function isAnnouncedEnd(dedupeKey: string): boolean {
  return Object.values(ANNOUNCED_ENDS).some((start) => dedupeKey.startsWith(start));
}
