import { isCancellation, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { ANSWER_TASK_QUEUE, CALLBACK_TASK_QUEUE, taskQueueOf } from '../contracts/tasks/task-queues.ts';
import type { AnswerPort } from './ports/answer.ts';
import type { CallbackPort, CallbackRecordPort } from './ports/callback.ts';
import type { ConcurrencyGroupPort } from './ports/concurrency-group.ts';
import type { GitHubPort, WritePort } from './ports/github.ts';
import type { PythonTaskPort } from './ports/python-tasks.ts';
import type { RecordPort } from './ports/record.ts';
import type { SchedulePort } from './ports/schedules.ts';
import type { SubscriptionPort } from './ports/subscription.ts';
import type { TaskTypePort } from './ports/task-types.ts';
import type { TaskPort } from './ports/tasks.ts';

/** Until the database is back. */
const PATIENCE = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s' } as const;

/** A worker that sends no heartbeat for this long counts as lost, and another begins the attempt again. */
const HEARTBEAT_TIMEOUT = '15s';

type Told = RecordPort & CallbackRecordPort & WritePort;

/**
 * A single query is short and may be repeated, so it first runs as a local activity, inside the workflow task: that saves
 * a hop through the server (about 10 ms per event). If it fails, a plain activity retries until the database is back;
 * its retries leave no trace in the history.
 */
const quickly = proxyLocalActivities<Told>({
  startToCloseTimeout: '2s',
  retry: { maximumAttempts: 1 },
});
const patiently = proxyActivities<Told>({
  startToCloseTimeout: '10s',
  retry: PATIENCE,
});

export const record: Told = {
  appendBuildEvent: firstOf(quickly.appendBuildEvent, patiently.appendBuildEvent),
  findBuildEnd: firstOf(quickly.findBuildEnd, patiently.findBuildEnd),
  isTold: firstOf(quickly.isTold, patiently.isTold),
  appendTaskEvent: firstOf(quickly.appendTaskEvent, patiently.appendTaskEvent),
  findTaskEnd: firstOf(quickly.findTaskEnd, patiently.findTaskEnd),
  listCallbackTargets: firstOf(quickly.listCallbackTargets, patiently.listCallbackTargets),
  keepCallbackUrl: firstOf(quickly.keepCallbackUrl, patiently.keepCallbackUrl),
  appendCallbackEvent: firstOf(quickly.appendCallbackEvent, patiently.appendCallbackEvent),
  reserveWrite: firstOf(quickly.reserveWrite, patiently.reserveWrite),
};

function firstOf<Request extends unknown[], Answer>(
  quick: (...request: Request) => Promise<Answer>,
  patient: (...request: Request) => Promise<Answer>,
) {
  return async (...request: Request): Promise<Answer> => {
    try {
      return await quick(...request);
    } catch (error) {
      if (isCancellation(error)) throw error;
      return await patient(...request);
    }
  };
}

/** Longer than a try may take (15 s). A worker that was lost during one is noticed after this. */
const CALLBACK_CUT_OFF = '25s';

/** On their own task queue. Sending has one attempt, because the workflow itself keeps the pauses and records each try. */
export const callbacks: CallbackPort = {
  composeCallback: proxyActivities<CallbackPort>({
    taskQueue: CALLBACK_TASK_QUEUE,
    startToCloseTimeout: '10s',
    retry: PATIENCE,
  }).composeCallback,
  sendCallback: proxyActivities<CallbackPort>({
    taskQueue: CALLBACK_TASK_QUEUE,
    startToCloseTimeout: CALLBACK_CUT_OFF,
    retry: { maximumAttempts: 1 },
  }).sendCallback,
};

/** An activity that delivers returns after this at the latest, and begins again. */
const DELIVERS_FOR = '2h';

/** On the task queue of callbacks: both wait for receivers. */
export const subscriptions = proxyActivities<SubscriptionPort>({
  taskQueue: CALLBACK_TASK_QUEUE,
  startToCloseTimeout: DELIVERS_FOR,
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: PATIENCE,
});

export const concurrencyGroup = proxyActivities<ConcurrencyGroupPort>({ startToCloseTimeout: '10s', retry: PATIENCE });

/**
 * A firing may be repeated without bound: it makes everything once, and gives up by itself when it is too late. A worker that dies
 * is noticed after the timeout.
 */
export const schedules = proxyActivities<SchedulePort>({
  startToCloseTimeout: '20s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
});

export const taskTypes = proxyActivities<TaskTypePort>({ startToCloseTimeout: '10s', retry: PATIENCE });

/** Done by the bridge, once there is one. A repeated answer has the same ids, so it may be retried without bound. */
export const answers = proxyActivities<AnswerPort>({
  taskQueue: ANSWER_TASK_QUEUE,
  startToCloseTimeout: '30s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

/** The same, once, where the bridge is there: this saves a workflow. */
export const answersNow: Pick<AnswerPort, 'answerNow'> = proxyActivities<AnswerPort>({
  taskQueue: ANSWER_TASK_QUEUE,
  scheduleToCloseTimeout: '10s',
  retry: { maximumAttempts: 1 },
});

/** The activities that call GitHub. Those that must not be repeated have one attempt; the others are retried. */
export function githubActivities(requestTimeoutMs: number): GitHubPort {
  // One call makes at most two requests: a list and a confirmation, or a dispatch and another without what was refused. Each
  // may wait some seconds for another write to end and for a new token to be known; a refusal is explained by two quick reads.
  // Complete readings make up to ten.
  const oneCall = 2 * requestTimeoutMs + 20_000;
  const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;
  const irreversible = proxyActivities<Pick<GitHubPort, 'dispatchRun' | 'rerunRun'>>({
    startToCloseTimeout: oneCall,
    retry: { maximumAttempts: 1 },
  });
  const readOnly = proxyActivities<Pick<GitHubPort, 'awaitRunChange' | 'findRun' | 'readRun' | 'withdrawDispatch'>>({
    startToCloseTimeout: oneCall,
    retry,
  });
  const complete = proxyActivities<Pick<GitHubPort, 'findRuns'>>({
    startToCloseTimeout: 10 * requestTimeoutMs + 5_000,
    retry,
  });
  // An end is not held up for long by what is only about it.
  const soon = proxyActivities<Pick<GitHubPort, 'readFailedJobs'>>({
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '60s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumAttempts: 3 },
  });
  const repeatable = proxyActivities<Pick<GitHubPort, 'cancelRun'>>({ startToCloseTimeout: oneCall, retry });
  return {
    dispatchRun: irreversible.dispatchRun,
    rerunRun: irreversible.rerunRun,
    withdrawDispatch: readOnly.withdrawDispatch,
    findRun: readOnly.findRun,
    readRun: readOnly.readRun,
    awaitRunChange: readOnly.awaitRunChange,
    findRuns: complete.findRuns,
    readFailedJobs: soon.readFailedJobs,
    cancelRun: repeatable.cancelRun,
  };
}

/** Grace beyond the hard limit. The worker enforces the limit itself, so this is reached only if it hangs. */
const OVERTIME_MS = 30_000;

/**
 * The work of a task, on the workers of its queue. Temporal retries without end, but only what is not the task's own fault.
 * @param beginWithinMs longest wait for a worker; undefined: no limit.
 */
export function taskActivities(queue: string, hardLimitMs: number, beginWithinMs: number | undefined): TaskPort {
  return proxyActivities<TaskPort>({
    taskQueue: taskQueueOf(queue),
    startToCloseTimeout: hardLimitMs + OVERTIME_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    ...(beginWithinMs === undefined ? {} : { scheduleToStartTimeout: beginWithinMs }),
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  });
}

/** A worker in Python keeps the time limits of its task itself, as the app has them. One that is lost is known by its heartbeats. */
const AS_LONG_AS_IT_TAKES = '365 days';

/**
 * The work of a task on a worker in Python. Temporal retries without end, but only what is not the task's own fault.
 * @param beginWithinMs longest wait for a worker; undefined: no limit.
 */
export function pythonActivities(queue: string, beginWithinMs: number | undefined): PythonTaskPort {
  return proxyActivities<PythonTaskPort>({
    taskQueue: taskQueueOf(queue, 'python'),
    startToCloseTimeout: AS_LONG_AS_IT_TAKES,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    ...(beginWithinMs === undefined ? {} : { scheduleToStartTimeout: beginWithinMs }),
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  });
}
