/**
 * Search attributes of Hapax's workflows and their types. Every setup of Temporal registers them from here. The dev server has room for ten
 * of type Keyword.
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
