import type { BuildSummary } from '../../contracts/builds/build.ts';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { Build } from './build.ts';

/** Returns a build as the API shows it. */
export function buildSummaryOf(build: Build): BuildSummary {
  const { id, status, request, config_id, config_version, image_type, fedora_version } = build;
  return {
    id,
    status,
    ref: request.ref,
    config_id,
    config_version,
    repository: request.repository,
    workflow: request.workflow,
    image_type,
    fedora_version,
    inputs: request.inputs,
    shadow: request.shadow === true,
    workflow_run_id: build.workflow_run_id,
    run_url: build.run_url,
    run_attempt: build.run_attempt,
    conclusion: build.conclusion,
    needs_attention: build.needs_attention,
    reason: build.reason,
    attempts: build.attempts,
    retries: build.retries,
    created_at: build.created_at,
    started_at: build.started_at,
    completed_at: build.completed_at,
    erased_at: build.erased_at,
  };
}

/** Events that make earlier failures obsolete. */
const BEGINS_AGAIN: ReadonlySet<string> = new Set(['build_retried', 'build_reopened']);

/** Returns the jobs that failed when the build last ended, by its events; empty while it goes on. */
export function failedJobsIn(events: readonly RecordedEvent[]): FailedJob[] {
  const last = events.findLast(({ type }) => type === 'build_completed' || BEGINS_AGAIN.has(type));
  return (last?.data.failed_jobs as FailedJob[] | undefined) ?? [];
}
