import { setHandler } from '@temporalio/workflow';
import type { BuildInput } from '../../contracts/builds/build-workflow.ts';
import { type BuildStateView, stateQuery } from '../messages.ts';
import { BuildRecord, type RecordEvent } from './build-record.ts';
import { listenToOperator, type Operator } from './operator.ts';
import { listenForWebhooks, type PendingWebhooks } from './pending-webhooks.ts';

/** A build whose workflow runs. */
export interface OpenBuild {
  input: BuildInput;
  /** Its state, for queries. */
  state: BuildStateView;
  operator: Operator;
  webhooks: PendingWebhooks;
  record: BuildRecord;
  recordEvent: RecordEvent;
  /** Prefix of the steps that `recordEvent` records; tells those of a retry from earlier ones. */
  prefix: string;
}

/** Opens a build: from here on, it receives signals and queries. */
export function openBuild(input: BuildInput): OpenBuild {
  const state: BuildStateView = { build_id: input.build_id, phase: 'queued', attempt: 0, workflow_run_id: null };
  setHandler(stateQuery, () => state);
  const operator = listenToOperator(input.build_id);
  if (input.recovery?.cancelled_by !== undefined) operator.cancel(input.recovery.cancelled_by);
  const webhooks = listenForWebhooks();
  const record = new BuildRecord(input);
  return { input, state, operator, webhooks, record, recordEvent: record.under(''), prefix: '' };
}

/** Returns the same build, but with this prefix for its further steps. */
export function under(build: OpenBuild, prefix: string): OpenBuild {
  return { ...build, recordEvent: build.record.under(prefix), prefix };
}
