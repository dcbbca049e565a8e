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

/** The state of a build: `temporal workflow query --name state`. */
export interface BuildStateView {
  build_id: number;
  phase:
    | 'queued'
    | 'waiting_for_turn'
    | 'dispatching'
    | 'waiting_for_other_run'
    | 'reconciling'
    | 'needs_attention'
    | 'following'
    | 'ended';
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

/** Wakes a build: its run may have changed. The build does not trust what the signal says; it reads GitHub. */
export const runChangedSignal = defineSignal<[SignalArguments['runChanged']]>(BUILD_SIGNALS.runChanged);

/** Lets a build go on once the request that made it has sent its first dispatch: `--name dispatched`. */
export const dispatchedSignal = defineSignal(BUILD_SIGNALS.dispatched);

/** Makes a build or task record again everything that its workflow has recorded: `--name tell_again`. Repeating it changes nothing. */
export const tellAgainSignal = defineSignal(TELL_AGAIN_SIGNAL);

/** The state of a task: `temporal workflow query --name state`. */
export interface TaskStateView {
  task_id: string;
  phase: 'received' | 'waiting' | 'working' | 'ended';
  attempt: number;
}
export const taskStateQuery = defineQuery<TaskStateView>('state');

/** Ends a task and stops its work: `--name revoke --input '{"by": "me"}'`. */
export const revokeSignal = defineSignal<[Partial<Revocation>?]>(REVOKE_SIGNAL);

/** Tells a task that the sender of a message asked for it, and waits for a reply when it ends. */
export const answeredSignal = defineSignal(ANSWERED_SIGNAL);

/** Asks a task to record that an attempt starts on a Python worker, which waits for the response. */
export const beginUpdate = defineUpdate<AttemptBegun, [AttemptBegins]>(BEGIN_UPDATE);

/** Reports the progress of a task that runs on a Python worker. */
export const progressSignal = defineSignal<[ProgressReport]>(PROGRESS_SIGNAL);

/** Tells a Python task what replaces it. */
export const replacementSignal = defineSignal<[Replacement]>(REPLACEMENT_SIGNAL);

/** Wakes a subscription that waits for its next attempt, because it was changed. */
export const subscriptionChangedSignal = defineSignal(SUBSCRIPTION_CHANGED_SIGNAL);
