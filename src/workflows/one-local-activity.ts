import { patched, type WorkflowInterceptors, type WorkflowOutboundCallsInterceptor } from '@temporalio/workflow';

/**
 * Makes a workflow run one local activity at a time. If two run at once, either may end first, and a replay may see them end in
 * another order. The next command of the workflow would then get another number, and with it the result of something else
 * (temporalio/sdk-python#1578).
 */
class OneLocalActivity implements WorkflowOutboundCallsInterceptor {
  #running: Promise<unknown> | undefined;

  readonly scheduleLocalActivity: Required<WorkflowOutboundCallsInterceptor>['scheduleLocalActivity'] = (
    input,
    next,
  ) => {
    const before = this.#running;
    const result = before && patched('one-local-activity') ? before.then(() => next(input)) : next(input);
    const running = result.then(
      () => {},
      () => {},
    );
    this.#running = running;
    void running.then(() => {
      if (this.#running === running) this.#running = undefined;
    });
    return result;
  };
}

export const interceptors = (): WorkflowInterceptors => ({ outbound: [new OneLocalActivity()] });
