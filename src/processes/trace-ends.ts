import type { SpanAttributes, Tracing } from '../contracts/tracing/tracing.ts';
import type { Build } from '../domain/builds/build.ts';
import type { EndMeter } from '../domain/end-meter.ts';
import type { Task } from '../domain/tasks/task.ts';

/**
 * Returns the same meter, which also records each build and task as a span once it has ended, with the times of the record.
 * A span that stayed open for as long would be lost with its process. Like the activity that records the end, the span is
 * below the start of the workflow, and so in the trace of the request.
 */
export function traceEnds<Meter extends EndMeter>(meter: Meter, tracing: Tracing): Meter {
  return {
    ...meter,
    buildEnded(build) {
      const name = `BUILD ${build.request.workflow}`;
      tracing.record({ name, kind: 'server', attributes: buildAttributes(build) }, timesOf(build), failureOf(build));
      meter.buildEnded(build);
    },
    taskEnded(task) {
      const name = `task ${task.name}`;
      const failure = task.status === 'FAILURE' ? (task.error?.type ?? task.status) : undefined;
      tracing.record({ name, kind: 'consumer', attributes: taskAttributes(task) }, timesOf(task), failure);
      meter.taskEnded(task);
    },
  };
}

/** Returns the time from when it was last queued to its end. */
function timesOf(ended: Pick<Build, 'created_at' | 'completed_at'> & { queued_at?: string }) {
  const { created_at, queued_at = created_at, completed_at } = ended;
  return { from: new Date(queued_at), to: completed_at === null ? new Date() : new Date(completed_at) };
}

/** The terms of OpenTelemetry's conventions for CI/CD (1.45). `hapax.build.conclusion` has GitHub's own. */
const RESULTS: Readonly<Record<string, string>> = {
  success: 'success',
  neutral: 'success',
  cancelled: 'cancellation',
  skipped: 'skip',
  timed_out: 'timeout',
  startup_failure: 'error',
  dispatch_failed: 'error',
  dispatch_rejected: 'error',
  run_deleted: 'error',
};

function resultOf({ conclusion, status }: Build): string {
  return RESULTS[conclusion ?? status] ?? 'failure';
}

function failureOf(build: Build): string | undefined {
  return build.status === 'failure' ? (build.conclusion ?? build.status) : undefined;
}

function buildAttributes(build: Build): SpanAttributes {
  const { request, workflow_run_id, run_url, run_attempt, conclusion } = build;
  const [owner = '', repository = ''] = request.repository.split('/');
  return {
    'cicd.pipeline.action.name': 'BUILD',
    'cicd.pipeline.name': request.workflow,
    'cicd.pipeline.result': resultOf(build),
    ...(workflow_run_id === null ? {} : { 'cicd.pipeline.run.id': String(workflow_run_id) }),
    ...(run_url ? { 'cicd.pipeline.run.url.full': run_url } : {}),
    'vcs.provider.name': request.forge?.kind ?? 'github',
    'vcs.owner.name': owner,
    'vcs.repository.name': repository,
    'vcs.ref.head.name': request.ref,
    'hapax.build.id': build.id,
    'hapax.build.config_id': build.config_id,
    'hapax.build.attempts': build.attempts,
    ...(conclusion === null ? {} : { 'hapax.build.conclusion': conclusion }),
    ...(run_attempt === null ? {} : { 'hapax.build.run_attempt': run_attempt }),
  };
}

function taskAttributes({ id, name, queue, status, attempts }: Task): SpanAttributes {
  return {
    'hapax.task.id': id,
    'hapax.task.name': name,
    'hapax.task.queue': queue,
    'hapax.task.status': status,
    'hapax.task.attempts': attempts,
  };
}
