import { isCancellation, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { GitHubPort } from './ports/github.ts';
import type { LanePort } from './ports/lane.ts';
import type { RecordPort } from './ports/record.ts';

/**
 * Appending an event is short and may be repeated, so it first runs inside the workflow task: no hop through the server
 * (about 10 ms saved per event). A database that is down is then waited for by the retries of a plain activity, which
 * leave no trace in the history.
 */
const quickly = proxyLocalActivities<RecordPort>({
  startToCloseTimeout: '2s',
  retry: { maximumAttempts: 1 },
});
const patiently = proxyActivities<RecordPort>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s' },
});

export const record: RecordPort = {
  async appendBuildEvent(request) {
    try {
      return await quickly.appendBuildEvent(request);
    } catch (error) {
      if (isCancellation(error)) throw error;
      return await patiently.appendBuildEvent(request);
    }
  },
};

export const lane = proxyActivities<LanePort>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s' },
});

/** Activities that may be repeated, grouped with the one that may not, by the time one answer of GitHub may take. */
export function githubActivities(requestTimeoutMs: number): GitHubPort {
  // One call may need two requests (a list and a confirmation), or, for complete readings, ten.
  const oneCall = 2 * requestTimeoutMs + 5_000;
  const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;
  const irreversible = proxyActivities<Pick<GitHubPort, 'dispatchRun' | 'rerunRun'>>({
    startToCloseTimeout: oneCall,
    retry: { maximumAttempts: 1 },
  });
  const readOnly = proxyActivities<Pick<GitHubPort, 'awaitRunChange' | 'readRun'>>({
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
    readRun: readOnly.readRun,
    awaitRunChange: readOnly.awaitRunChange,
    findRuns: complete.findRuns,
    cancelRun: repeatable.cancelRun,
  };
}
