import { isCancellation, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { ANSWER_TASK_QUEUE, CALLBACK_TASK_QUEUE, type TaskQueueName, taskQueueOf } from '../contracts/task-queues.ts';
import type { AnswerPort } from './ports/answer.ts';
import type { CallbackPort, CallbackRecordPort } from './ports/callback.ts';
import type { GitHubPort, WritePort } from './ports/github.ts';
import type { LanePort } from './ports/lane.ts';
import type { RecordPort } from './ports/record.ts';
import type { TaskPort } from './ports/tasks.ts';

/** Until the database is back. */
const PATIENCE = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s' } as const;

type Told = RecordPort & CallbackRecordPort & WritePort;

/**
 * What asks the database for one thing is short and may be repeated, so it first runs inside the workflow task: no hop
 * through the server (about 10 ms saved per event). A database that is down is then waited for by the retries of a plain
 * activity, which leave no trace in the history.
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
  appendTaskEvent: firstOf(quickly.appendTaskEvent, patiently.appendTaskEvent),
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

/** Longer than a try may take (15 s); a lost worker is noticed after it. */
const CALLBACK_CUT_OFF = '25s';

/** On a task queue of their own. Sending has one attempt, since the workflow keeps the pauses and the record of tries. */
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

export const lane = proxyActivities<LanePort>({ startToCloseTimeout: '10s', retry: PATIENCE });
/** Done by the bridge, whenever there is one. What goes out twice is the same twice, so the tries need no bound. */
export const answers = proxyActivities<AnswerPort>({
  taskQueue: ANSWER_TASK_QUEUE,
  startToCloseTimeout: '30s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

/** Activities that may be repeated, grouped with the one that may not, by the time one answer of GitHub may take. */
export function githubActivities(requestTimeoutMs: number): GitHubPort {
  // One call may need two requests (a list and a confirmation; a dispatch and one without what was refused, each of which may
  // wait some seconds for another write to end), or, for complete readings, ten.
  const oneCall = 2 * requestTimeoutMs + 10_000;
  const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;
  const irreversible = proxyActivities<Pick<GitHubPort, 'dispatchRun' | 'rerunRun'>>({
    startToCloseTimeout: oneCall,
    retry: { maximumAttempts: 1 },
  });
  const readOnly = proxyActivities<Pick<GitHubPort, 'awaitRunChange' | 'findRun' | 'readRun'>>({
    startToCloseTimeout: oneCall,
    retry,
  });
  const complete = proxyActivities<Pick<GitHubPort, 'findRuns'>>({
    startToCloseTimeout: 10 * requestTimeoutMs + 5_000,
    retry,
  });
  const repeatable = proxyActivities<Pick<GitHubPort, 'cancelRun'>>({ startToCloseTimeout: oneCall, retry });
  return {
    dispatchRun: irreversible.dispatchRun,
    rerunRun: irreversible.rerunRun,
    findRun: readOnly.findRun,
    readRun: readOnly.readRun,
    awaitRunChange: readOnly.awaitRunChange,
    findRuns: complete.findRuns,
    cancelRun: repeatable.cancelRun,
  };
}

/** The worker is lost that did not say for so long that it goes on; another one then begins the attempt again. */
const HEARTBEAT_TIMEOUT = '15s';

/** Beyond the hard limit, which the worker itself keeps: so it is reached only where the worker hangs. */
const OVERTIME_MS = 30_000;

/**
 * The work of a task, on the workers of its queue. Temporal repeats only what is no fault of the task, and without end.
 * @param beginWithinMs longest wait for a worker; undefined for any.
 */
export function taskActivities(queue: TaskQueueName, hardLimitMs: number, beginWithinMs: number | undefined): TaskPort {
  return proxyActivities<TaskPort>({
    taskQueue: taskQueueOf(queue),
    startToCloseTimeout: hardLimitMs + OVERTIME_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    ...(beginWithinMs === undefined ? {} : { scheduleToStartTimeout: beginWithinMs }),
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  });
}
