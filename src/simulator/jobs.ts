import { z } from 'zod';
import { forgeTime, headShaOf } from './resources.ts';
import type { Moment, Run } from './run.ts';

/** A job of an ended run, as a test sets it. */
export const plannedJobSchema = z.strictObject({
  name: z.string(),
  conclusion: z.string(),
  steps: z.array(z.strictObject({ name: z.string(), conclusion: z.string() })).default([]),
  annotations: z
    .array(
      z.strictObject({
        annotation_level: z.string().default('failure'),
        message: z.string(),
        title: z.string().default(''),
        path: z.string().default('.github'),
        start_line: z.int().default(1),
      }),
    )
    .default([]),
});

type PlannedJob = z.infer<typeof plannedJobSchema>;

/** The id of a job consists of its run, attempt and index, so that no jobs need to be stored. */
const ATTEMPTS = 100;
const JOBS = 1_000;

/** Returns the run, attempt and index of a job. */
export function jobPlaceOf(jobId: number): { runId: number; attempt: number; index: number } {
  return {
    runId: Math.floor(jobId / JOBS / ATTEMPTS),
    attempt: Math.floor(jobId / JOBS) % ATTEMPTS,
    index: jobId % JOBS,
  };
}

/** Returns the jobs of an attempt: the planned ones, or one that ends as the attempt does. */
export function jobsOf(state: Moment, planned: PlannedJob[] | null): PlannedJob[] {
  if (state.conclusion === 'startup_failure' || state.status !== 'completed') return [];
  if (planned !== null && state.conclusion !== 'success') return planned;
  const conclusion = state.conclusion ?? 'success';
  const failed = conclusion === 'failure';
  return [
    {
      name: 'build',
      conclusion,
      steps: [
        { name: 'Set up job', conclusion: 'success' },
        { name: 'Build the image', conclusion },
        { name: 'Push the image', conclusion: failed ? 'skipped' : conclusion },
      ],
      annotations: failed
        ? [
            {
              annotation_level: 'failure',
              message: 'Process completed with exit code 1.',
              title: '',
              path: '.github',
              start_line: 12,
            },
          ]
        : [],
    },
  ];
}

/** Returns an element of the response of GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs. */
export function jobAnswer(run: Run, state: Moment, job: PlannedJob, index: number, origin: string) {
  const id = (run.id * ATTEMPTS + state.attempt) * JOBS + index;
  const api = `${origin}/repos/${run.repository}`;
  const times = {
    created_at: forgeTime(state.attemptStartedAt),
    started_at: forgeTime(state.attemptStartedAt),
    completed_at: forgeTime(state.at),
  };
  return {
    id,
    run_id: run.id,
    workflow_name: run.workflow.replace(/\.ya?ml$/, ''),
    head_branch: run.ref,
    run_url: `${api}/actions/runs/${run.id}`,
    run_attempt: state.attempt,
    node_id: `CR_${id}`,
    head_sha: headShaOf(run),
    url: `${api}/actions/jobs/${id}`,
    html_url: `${origin}/${run.repository}/actions/runs/${run.id}/job/${id}`,
    status: 'completed',
    conclusion: job.conclusion,
    ...times,
    name: job.name,
    steps: job.steps.map(({ name, conclusion }, at) => ({ name, status: 'completed', conclusion, number: at + 1 })),
    check_run_url: `${api}/check-runs/${id}`,
    labels: ['ubuntu-latest'],
    runner_id: 1,
    runner_name: 'GitHub Actions 1',
    runner_group_id: 0,
    runner_group_name: 'GitHub Actions',
  };
}

/** Returns an element of the response of GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations. */
export function annotationAnswer(run: Run, annotation: PlannedJob['annotations'][number], origin: string) {
  return {
    ...annotation,
    end_line: annotation.start_line,
    start_column: null,
    end_column: null,
    raw_details: '',
    blob_href: `${origin}/${run.repository}/blob/${headShaOf(run)}/${annotation.path}`,
  };
}
