import { type AttestationVerifier, verifiesNothing } from '../integrations/attestations.ts';
import type { CallbackSender } from '../integrations/callback-sender.ts';
import type { ReplyWays } from '../integrations/celery/publishing.ts';
import type { Forges } from '../integrations/forges/forges.ts';
import type { Db } from '../store/database.ts';
import { answerActivities } from './answers.ts';
import { artifactActivities } from './artifacts.ts';
import { callbackActivities, callbackRecordActivities } from './callbacks.ts';
import { type CheckpointOptions, checkpointActivities } from './checkpoints.ts';
import { concurrencyGroupActivities } from './concurrency-group.ts';
import { toFailure } from './failures.ts';
import { githubActivities } from './github.ts';
import type { ActivityMeter } from './meter.ts';
import { recordActivities } from './record.ts';
import { type FireScheduled, scheduleActivities } from './schedules.ts';
import { shadowActivities } from './shadow.ts';
import { subscriptionActivities } from './subscriptions/deliver-events.ts';
import { type Retain, sweepActivities } from './sweeps.ts';
import { taskTypeActivities } from './task-types.ts';
import { taskActivities } from './tasks.ts';

export interface ActivityDependencies {
  db: Db;
  forges: Pick<Forges, 'of'>;
  /** Fires a scheduled time. */
  fire: FireScheduled;
  /** Erases data that was kept long enough; undefined: nothing. */
  retain?: Retain | undefined;
  /** How checkpoints of the log are made; undefined: none. */
  checkpoints?: CheckpointOptions | undefined;
  /** Verifies attestations of artifacts; undefined if there is no trusted root. */
  verifyAttestation?: AttestationVerifier | undefined;
  meter?: ActivityMeter | undefined;
}

/** Returns the activities on the task queue of the workflows. */
export function createActivities({
  db,
  forges,
  fire,
  retain,
  checkpoints,
  verifyAttestation = verifiesNothing,
  meter,
}: ActivityDependencies) {
  return failingAll({
    ...recordActivities(db, meter),
    ...callbackRecordActivities(db, meter),
    ...concurrencyGroupActivities(db),
    ...githubActivities(db, forges, meter),
    ...shadowActivities(db, forges),
    ...scheduleActivities(fire),
    ...sweepActivities(db, forges, retain, meter),
    ...taskTypeActivities(db),
    ...checkpointActivities(db, checkpoints),
    ...artifactActivities(db, forges, verifyAttestation),
  });
}

/** Returns the activities on the task queue of callbacks: all those that wait for receivers. */
export function createCallbackActivities({
  db,
  sender,
  stopping,
}: {
  db: Db;
  sender: CallbackSender;
  stopping: AbortSignal;
}) {
  return failingAll({ ...callbackActivities(db, sender), ...subscriptionActivities(db, sender, stopping) });
}

/** Returns the activities of workers of task queues. */
export function createTaskActivities(...given: Parameters<typeof taskActivities>) {
  return failingAll(taskActivities(...given));
}

/** Returns the activities on the task queue of the bridge. */
export function createAnswerActivities({ db, ways }: { db: Db; ways: ReplyWays }) {
  return failingAll(answerActivities(db, ways));
}

/** Makes activities throw Temporal's failures instead of their own errors. */
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
