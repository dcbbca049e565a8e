/**
 * Search attributes of our workflows and their types; registered from here wherever Temporal is set up. The dev server has
 * room for ten of type Keyword.
 */
export const SEARCH_ATTRIBUTES = {
  HapaxBuildId: 'Keyword',
  HapaxRepository: 'Keyword',
  HapaxRef: 'Keyword',
  HapaxStatus: 'Keyword',
  HapaxRunId: 'Keyword',
  HapaxTaskId: 'Keyword',
  HapaxTaskName: 'Keyword',
  HapaxQueue: 'Keyword',
} as const;
