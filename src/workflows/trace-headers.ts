import type { Payload } from '@temporalio/common';
import type {
  WorkflowInboundCallsInterceptor,
  WorkflowInterceptors,
  WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { TRACE_HEADER } from '../contracts/tracing/trace-workflow.ts';

type Outbound = Required<WorkflowOutboundCallsInterceptor>;

/**
 * Passes the trace that a workflow was started with on to its activities and to the workflows that it starts. It waits for nothing
 * and orders nothing, so a history replays in the same way with and without it (ADR 27).
 */
class TraceHeaders implements WorkflowInboundCallsInterceptor, WorkflowOutboundCallsInterceptor {
  #trace: Payload | undefined;

  readonly execute: Required<WorkflowInboundCallsInterceptor>['execute'] = (input, next) => {
    this.#trace = input.headers[TRACE_HEADER];
    return next(input);
  };

  readonly scheduleActivity: Outbound['scheduleActivity'] = (input, next) => next(this.#passOn(input));
  readonly scheduleLocalActivity: Outbound['scheduleLocalActivity'] = (input, next) => next(this.#passOn(input));
  readonly startChildWorkflowExecution: Outbound['startChildWorkflowExecution'] = (input, next) =>
    next(this.#passOn(input));
  readonly continueAsNew: Outbound['continueAsNew'] = (input, next) => next(this.#passOn(input));

  #passOn<Input extends { headers: Record<string, Payload> }>(input: Input): Input {
    return this.#trace ? { ...input, headers: { ...input.headers, [TRACE_HEADER]: this.#trace } } : input;
  }
}

export const interceptors = (): WorkflowInterceptors => {
  const headers = new TraceHeaders();
  return { inbound: [headers], outbound: [headers] };
};
