import type { BuildSummary, EventView } from '../contracts/build.ts';
import type { RecordedEvent } from '../contracts/event.ts';
import type { Build } from '../domain/build.ts';

/** A build as the API shows it. */
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
  };
}

/** An event as the API shows it. */
export function eventViewOf(event: RecordedEvent): EventView {
  const { position, seq, type, from_status, to_status, data, occurred_at, hash } = event;
  const { recorded_at, dedupe_key, previous_hash } = event;
  return {
    id: position,
    seq,
    event_type: type,
    ...(from_status ? { from_status } : {}),
    ...(to_status ? { to_status } : {}),
    ...(Object.keys(data).length > 0 ? { event_data: data } : {}),
    timestamp: occurred_at,
    hash,
    recorded_at,
    dedupe_key,
    previous_hash,
  };
}
