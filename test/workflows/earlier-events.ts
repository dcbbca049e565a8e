import type { BuildInput } from '../../src/contracts/builds/build-workflow.ts';
import type { BuildEvent } from '../../src/contracts/builds/event.ts';
import { RUN_ID, urlOf } from './virtual-world.ts';

/** What stands in the record of a build that an earlier run of its workflow dispatched, and has found. */
export function withRun({ created_at: occurred_at }: BuildInput): BuildEvent[] {
  const run = { workflow_run_id: RUN_ID, run_url: urlOf(RUN_ID) };
  return [
    { type: 'build_started', data: {}, occurred_at, dedupe_key: 'started' },
    {
      type: 'dispatch_intended',
      data: { attempt: 1, token: 'hapax-1-1-0123456789ab', temporal_run_id: 'an earlier one' },
      occurred_at,
      dedupe_key: 'dispatch:1:intended',
    },
    {
      type: 'dispatch_ambiguous',
      data: { attempt: 1, reason: 'HTTP 502', request_id: null },
      occurred_at,
      dedupe_key: 'dispatch:1:ambiguous',
    },
    {
      type: 'workflow_triggered',
      data: { attempt: 1, ...run, learned_from: 'reconcile', correlated: true, request_id: null },
      occurred_at,
      dedupe_key: 'triggered',
    },
  ];
}

export function endedAs(conclusion: string, { created_at: occurred_at }: BuildInput): BuildEvent {
  const data = { conclusion, run_attempt: 1, learned_from: 'poll', request_id: null } as const;
  return { type: 'build_completed', data, occurred_at, dedupe_key: 'completed' };
}

export function rerunAt(now: number): NonNullable<BuildInput['resume']> {
  const run = { run_id: RUN_ID, run_url: urlOf(RUN_ID), run_attempt: 1 };
  return { retry: 1, mode: 'rerun', by: 'test', retry_id: 'r', at: new Date(now).toISOString(), run };
}
