import type { BuildInput, Resumption } from '../contracts/build-workflow.ts';
import type { BuildEvent } from '../contracts/event.ts';

/**
 * The first event of a build. The API tells it as soon as the trigger is accepted, and the workflow tells it again in
 * case the database was down; both must say the same.
 */
export function queuedEvent(input: BuildInput): Extract<BuildEvent, { type: 'build_queued' }> {
  const { created_at, policy: _policy, resume: _resume, reopen: _reopen, callback, ...known } = input;
  const data = { ...known, ...(callback ? { callback_origin: callback.origin } : {}) };
  return { type: 'build_queued', data, occurred_at: created_at, dedupe_key: 'queued' };
}

/** The event that begins a failed build again; told by API and workflow alike. */
export function retriedEvent({
  retry,
  mode,
  by,
  retry_id,
  at,
}: Resumption): Extract<BuildEvent, { type: 'build_retried' }> {
  return {
    type: 'build_retried',
    data: { retry, mode, by, retry_id },
    occurred_at: at,
    dedupe_key: `retry:${retry}`,
  };
}
