import type { BuildSummary } from '../contracts/build.ts';
import type { Build } from './build.ts';

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
