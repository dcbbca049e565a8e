import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { BUILD_SIGNALS, type SignalArguments, TELL_AGAIN_SIGNAL } from '../contracts/builds/build-workflow.ts';
import { SUBSCRIPTION_CHANGED_SIGNAL } from '../contracts/subscriptions/subscription-workflow.ts';
import {
  type AttemptBegins,
  type AttemptBegun,
  BEGIN_UPDATE,
  PROGRESS_SIGNAL,
  type ProgressReport,
  REPLACEMENT_SIGNAL,
  type Replacement,
} from '../contracts/tasks/python-workflow.ts';
import { ANSWERED_SIGNAL, REVOKE_SIGNAL, type Revocation } from '../contracts/tasks/task-workflow.ts';

/** What a build is doing: `temporal workflow query --name state`. */
export interface BuildStateView {
  build_id: number;
  phase: 'queued' | 'waiting_for_turn' | 'dispatching' | 'reconciling' | 'needs_attention' | 'following' | 'ended';
  attempt: number;
  workflow_run_id: number | null;
}
export const stateQuery = defineQuery<BuildStateView>('state');

/** Tells a build that needs attention which run is its own: `--name adopt --input '{"run_id": 123, "run_url": "https://..."}'`. */
export const adoptSignal = defineSignal<[SignalArguments['adopt']]>(BUILD_SIGNALS.adopt);

/** Tells a build that needs attention that no run was made, so that it sends another dispatch: `--name retry`. */
export const retrySignal = defineSignal(BUILD_SIGNALS.retry);

/** Asks a build to stop: `--name cancel --input '{"by": "me"}'`. */
export const cancelSignal = defineSignal<[SignalArguments['cancel']?]>(BUILD_SIGNALS.cancel);

/** Wakes a build: its run may have changed. What it says is not believed; the build reads GitHub. */
export const runChangedSignal = defineSignal<[SignalArguments['runChanged']]>(BUILD_SIGNALS.runChanged);

/** Has a build go on whose first dispatch the request sent that made it: `--name dispatched`. */
export const dispatchedSignal = defineSignal(BUILD_SIGNALS.dispatched);

/** Has a build or task tell the record again what its workflow has told: `--name tell_again`. Repeating it changes nothing. */
export const tellAgainSignal = defineSignal(TELL_AGAIN_SIGNAL);

/** What a task is doing: `temporal workflow query --name state`. */
export interface TaskStateView {
  task_id: string;
  phase: 'received' | 'waiting' | 'working' | 'ended';
  attempt: number;
}
export const taskStateQuery = defineQuery<TaskStateView>('state');

/** Ends a task and stops its work: `--name revoke --input '{"by": "me"}'`. */
export const revokeSignal = defineSignal<[Partial<Revocation>?]>(REVOKE_SIGNAL);

/** Tells a task that somebody asked for it by a message, and waits to be told of its end. */
export const answeredSignal = defineSignal(ANSWERED_SIGNAL);

/** Asks a task to record that an attempt begins, on a worker in Python, which waits for the answer. */
export const beginUpdate = defineUpdate<AttemptBegun, [AttemptBegins]>(BEGIN_UPDATE);

/** Tells a task what it says of itself while it runs, on a worker in Python. */
export const progressSignal = defineSignal<[ProgressReport]>(PROGRESS_SIGNAL);

/** Tells a task in Python what replaces it. */
export const replacementSignal = defineSignal<[Replacement]>(REPLACEMENT_SIGNAL);

/** Wakes a subscription that waits for its next attempt, since it was changed. */
export const subscriptionChangedSignal = defineSignal(SUBSCRIPTION_CHANGED_SIGNAL);
