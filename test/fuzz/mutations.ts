/**
 * Faults put into the workflow code (as the bundle has it), to see that the search finds such. Each with the most schedules that it may take,
 * about five times of what it took.
 */
export interface Mutation {
  name: string;
  before: string;
  after: string;
  within: number;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a second POST follows the first empty reading',
    before: 'startedAt >= windowEnds && reads >= FEWEST_READS',
    after: 'true',
    within: 200,
  },
  {
    name: 'a second POST follows one that GitHub accepted',
    before: 'doubt.correlated && !doubt.accepted && finding.kind',
    after: 'doubt.correlated && finding.kind',
    within: 500,
  },
  {
    name: 'the end of the deadline is not heard',
    before: 'operator.cancelledBy !== undefined, policy.deadline_ms)',
    after: 'operator.cancelledBy !== undefined)',
    within: 100,
  },
  {
    name: 'both of two retries go on',
    before: 'existing.retry_id !== resume.retry_id',
    after: 'false',
    within: 3_000,
  },
  {
    name: 'the run of a reset build is sent for again',
    before: 'intent.temporal_run_id)',
    after: '(0, _temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__.workflowInfo)().runId)',
    within: 500,
  },
  {
    name: 'what Temporal forgot that it sent is sent again',
    before: 'intended_by: intendedBy,\n                    claim: ',
    after: 'intended_by: intendedBy,\n                    unclaimed: ',
    within: 500,
  },
  {
    name: 'a run that another program started is stopped',
    before: 'shadow !== true && ',
    after: '',
    within: 500,
  },
  {
    name: 'an earlier try of the last task is not believed',
    before: 'statusOf)(conclusion)',
    after: 'statusOf)(ended.conclusion)',
    within: 20_000,
  },
];
