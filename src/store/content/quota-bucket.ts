/** YouTube counts searches and uploads in buckets of their own. Hapax does neither, so each of its calls is counted in this one. */
export const QUOTA_BUCKET = 'general';
