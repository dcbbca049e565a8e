import { isCancellation, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { ANSWER_TASK_QUEUE, CALLBACK_TASK_QUEUE, taskQueueOf } from '../contracts/tasks/task-queues.ts';
import type { AnswerPort } from './ports/answer.ts';
import type { CallbackPort, CallbackRecordPort } from './ports/callback.ts';
import type { ConcurrencyGroupPort } from './ports/concurrency-group.ts';
import type { GitHubPort, WritePort } from './ports/github.ts';
import type { PythonTaskPort } from './ports/python-tasks.ts';
import type { RecordPort } from './ports/record.ts';
import type { SchedulePort } from './ports/schedules.ts';
import type { ShadowPort } from './ports/shadow.ts';
import type { SubscriptionPort } from './ports/subscription.ts';
import type { TaskTypePort } from './ports/task-types.ts';
import type { TaskPort } from './ports/tasks.ts';

/** Retry policy that waits until the database is back. */
const PATIENCE = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s' } as const;

/** A worker that sends no heartbeat for this long counts as lost, and another starts the attempt again. */
const HEARTBEAT_TIMEOUT = '15s';

type Told = RecordPort & CallbackRecordPort & WritePort;

/**
 * A single query, or one read of a run, is short and may be repeated. So it first runs as a local activity, inside the workflow task:
 * that saves hops through the server (about 10 ms per event). If it fails, a plain activity retries until the database or the forge is
 * back; its retries leave no trace in the history.
 */
const quickly = proxyLocalActivities<Told & Pick<GitHubPort, 'lookAtRun'>>({
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
  hasTaskStarted: firstOf(quickly.hasTaskStarted, patiently.hasTaskStarted),
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

/** How long a callback waits until its end is recorded. A command that starts a callback first records the end within minutes, or never. */
const CALLBACK_COMPOSED_WITHIN = '4 days';

/** Longer than a try may take (15 s). If a worker is lost during a try, this is when it is noticed. */
const CALLBACK_CUT_OFF = '25s';

/**
 * Activities on the task queue of callbacks. Sending has one attempt, because the workflow itself makes the pauses and records each
 * try.
 */
export const callbacks: CallbackPort = {
  composeCallback: proxyActivities<CallbackPort>({
    taskQueue: CALLBACK_TASK_QUEUE,
    startToCloseTimeout: '10s',
    scheduleToCloseTimeout: CALLBACK_COMPOSED_WITHIN,
    retry: PATIENCE,
  }).composeCallback,
  sendCallback: proxyActivities<CallbackPort>({
    taskQueue: CALLBACK_TASK_QUEUE,
    startToCloseTimeout: CALLBACK_CUT_OFF,
    retry: { maximumAttempts: 1 },
  }).sendCallback,
};

/** Longer than one activity delivers before it returns (1 h). */
const DELIVERS_FOR = '2h';

/** Activities on the task queue of callbacks, because both wait for receivers. */
export const subscriptions = proxyActivities<SubscriptionPort>({
  taskQueue: CALLBACK_TASK_QUEUE,
  startToCloseTimeout: DELIVERS_FOR,
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: PATIENCE,
});

export const concurrencyGroup = proxyActivities<ConcurrencyGroupPort>({ startToCloseTimeout: '10s', retry: PATIENCE });

/**
 * A firing may be retried without limit: it makes everything once, and gives up by itself when it is too late. The timeout reveals a
 * worker that died.
 */
export const schedules = proxyActivities<SchedulePort>({
  startToCloseTimeout: '20s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
});

export const taskTypes = proxyActivities<TaskTypePort>({ startToCloseTimeout: '10s', retry: PATIENCE });

/** The bridge runs these, once there is one. A repeated reply has the same ids, so it may be retried without limit. */
export const answers = proxyActivities<AnswerPort>({
  taskQueue: ANSWER_TASK_QUEUE,
  startToCloseTimeout: '30s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

/** The same in one attempt, if the bridge is up: this saves a workflow. */
export const answersNow: Pick<AnswerPort, 'answerNow'> = proxyActivities<AnswerPort>({
  taskQueue: ANSWER_TASK_QUEUE,
  scheduleToCloseTimeout: '10s',
  retry: { maximumAttempts: 1 },
});

/**
 * Returns the longest time that one call of GitHub takes, in milliseconds. It makes at most two requests: a list and a confirmation,
 * or a dispatch and another without what was refused. Each may wait some seconds for another write to end and for a new token to be
 * known. Two quick reads explain a refusal.
 */
export function oneCallMs(requestTimeoutMs: number): number {
  return 2 * requestTimeoutMs + 20_000;
}

/** Returns the activities that call GitHub. Those that must not be repeated have one attempt; the others are retried. */
export function githubActivities(requestTimeoutMs: number): GitHubPort {
  const oneCall = oneCallMs(requestTimeoutMs);
  const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;
  const irreversible = proxyActivities<Pick<GitHubPort, 'dispatchRun' | 'rerunRun'>>({
    startToCloseTimeout: oneCall,
    retry: { maximumAttempts: 1 },
  });
  const readOnly = proxyActivities<
    Pick<GitHubPort, 'awaitRunChange' | 'findRun' | 'lookAtRun' | 'readRun' | 'withdrawDispatch'>
  >({ startToCloseTimeout: oneCall, retry });
  // Complete reads make up to ten requests.
  const complete = proxyActivities<Pick<GitHubPort, 'findRuns'>>({
    startToCloseTimeout: 10 * requestTimeoutMs + 5_000,
    retry,
  });
  // Details about an end must not delay it for long.
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
    lookAtRun: firstOf(quickly.lookAtRun, readOnly.lookAtRun),
    awaitRunChange: readOnly.awaitRunChange,
    findRuns: complete.findRuns,
    readFailedJobs: soon.readFailedJobs,
    cancelRun: repeatable.cancelRun,
  };
}

/** Returns the activities that look for runs of other programs: complete reads, retried until the forge responds. */
export function shadowActivities(requestTimeoutMs: number): ShadowPort {
  return proxyActivities<ShadowPort>({
    startToCloseTimeout: 10 * requestTimeoutMs + 5_000,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  });
}

/** Grace beyond the hard limit. The worker enforces the limit itself, so this is reached only if it hangs. */
const OVERTIME_MS = 30_000;

/**
 * Returns the activity that does the work of a task on the workers of its queue. Temporal retries without limit, but only failures
 * that are not the task's own.
 * @param beginWithinMs longest wait for a worker; undefined for no limit.
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

/** A Python worker itself enforces the time limits of its task, as the app sets them. Missing heartbeats reveal a lost one. */
const AS_LONG_AS_IT_TAKES = '365 days';

/**
 * Returns the activity that does the work of a task on a Python worker. Temporal retries without limit, but only failures that are
 * not the task's own.
 * @param beginWithinMs longest wait for a worker; undefined for no limit.
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
