import { setHandler } from '@temporalio/workflow';
import type { BuildInput } from '../../contracts/builds/build-workflow.ts';
import { type BuildStateView, stateQuery } from '../messages.ts';
import { BuildRecord, type RecordEvent } from './build-record.ts';
import { listenToOperator, type Operator } from './operator.ts';
import { listenForWebhooks, type PendingWebhooks } from './pending-webhooks.ts';

/** A build whose workflow runs. */
export interface OpenBuild {
  input: BuildInput;
  /** What it is doing, for who asks. */
  state: BuildStateView;
  operator: Operator;
  webhooks: PendingWebhooks;
  record: BuildRecord;
  recordEvent: RecordEvent;
  /** Before the steps that `recordEvent` records: those of a retry stand apart. */
  prefix: string;
}

/** Opens a build: from here on it hears what it is told. */
export function openBuild(input: BuildInput): OpenBuild {
  const state: BuildStateView = { build_id: input.build_id, phase: 'queued', attempt: 0, workflow_run_id: null };
  setHandler(stateQuery, () => state);
  const operator = listenToOperator(input.build_id);
  if (input.recovery?.cancelled_by !== undefined) operator.cancel(input.recovery.cancelled_by);
  const webhooks = listenForWebhooks();
  const record = new BuildRecord(input);
  return { input, state, operator, webhooks, record, recordEvent: record.under(''), prefix: '' };
}

/** The same build, whose further steps are recorded under this prefix. */
export function under(build: OpenBuild, prefix: string): OpenBuild {
  return { ...build, recordEvent: build.record.under(prefix), prefix };
}
