import type { CallbackSender } from '../integrations/callback-sender.ts';
import type { ReplyWays } from '../integrations/celery/publishing.ts';
import type { Forges } from '../integrations/forges/forges.ts';
import type { Db } from '../store/database.ts';
import type { AnswerPort } from '../workflows/ports/answer.ts';
import type { CallbackPort, CallbackRecordPort } from '../workflows/ports/callback.ts';
import type { CheckpointPort } from '../workflows/ports/checkpoint.ts';
import type { ConcurrencyGroupPort } from '../workflows/ports/concurrency-group.ts';
import type { GitHubPort, WritePort } from '../workflows/ports/github.ts';
import type { RecordPort } from '../workflows/ports/record.ts';
import type { SchedulePort } from '../workflows/ports/schedules.ts';
import type { SubscriptionPort } from '../workflows/ports/subscription.ts';
import type { SweepPort } from '../workflows/ports/sweeps.ts';
import type { TaskTypePort } from '../workflows/ports/task-types.ts';
import type { TaskPort } from '../workflows/ports/tasks.ts';
import { answerActivities } from './answers.ts';
import { callbackActivities, callbackRecordActivities } from './callbacks.ts';
import { type CheckpointOptions, checkpointActivities } from './checkpoints.ts';
import { concurrencyGroupActivities } from './concurrency-group.ts';
import { toFailure } from './failures.ts';
import { githubActivities } from './github.ts';
import type { ActivityMeter } from './meter.ts';
import { recordActivities } from './record.ts';
import { type FireScheduled, scheduleActivities } from './schedules.ts';
import { subscriptionActivities } from './subscriptions/deliver-events.ts';
import { sweepActivities } from './sweeps.ts';
import { taskTypeActivities } from './task-types.ts';
import { taskActivities } from './tasks.ts';

export interface ActivityDependencies {
  db: Db;
  forges: Pick<Forges, 'of'>;
  /** Fires a time of a schedule. */
  fire: FireScheduled;
  /** How checkpoints of the log are made; undefined for none. */
  checkpoints?: CheckpointOptions | undefined;
  meter?: ActivityMeter | undefined;
}

/** The activities on the task queue of the workflows. */
export function createActivities({
  db,
  forges,
  fire,
  checkpoints,
  meter,
}: ActivityDependencies): RecordPort &
  CallbackRecordPort &
  ConcurrencyGroupPort &
  GitHubPort &
  WritePort &
  SchedulePort &
  SweepPort &
  TaskTypePort &
  CheckpointPort {
  return failingAll({
    ...recordActivities(db, meter),
    ...callbackRecordActivities(db, meter),
    ...concurrencyGroupActivities(db),
    ...githubActivities(db, forges, meter),
    ...scheduleActivities(fire),
    ...sweepActivities(db, forges, meter),
    ...taskTypeActivities(db),
    ...checkpointActivities(db, checkpoints),
  });
}

/** The activities on the task queue of callbacks: all that waits for receivers. */
export function createCallbackActivities({
  db,
  sender,
  stopping,
}: {
  db: Db;
  sender: CallbackSender;
  stopping: AbortSignal;
}): CallbackPort & SubscriptionPort {
  return failingAll({ ...callbackActivities(db, sender), ...subscriptionActivities(db, sender, stopping) });
}

/** The activities of the workers of task queues. */
export function createTaskActivities(...given: Parameters<typeof taskActivities>): TaskPort {
  return failingAll(taskActivities(...given));
}

/** The activities on the task queue of the bridge. */
export function createAnswerActivities({ db, ways }: { db: Db; ways: ReplyWays }): AnswerPort {
  return failingAll(answerActivities(db, ways));
}

/** Activities with their errors turned into Temporal's. */
function failingAll<Activities extends object>(activities: Activities): Activities {
  return Object.fromEntries(Object.entries(activities).map(([name, run]) => [name, failing(run)])) as Activities;
}

function failing(run: (request: never) => Promise<unknown>) {
  return async (request: never) => {
    try {
      return await run(request);
    } catch (error) {
      throw toFailure(error);
    }
  };
}
