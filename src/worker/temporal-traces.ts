import type { WorkflowClientInterceptor } from '@temporalio/client';
import {
  ApplicationFailure,
  ApplicationFailureCategory,
  defaultPayloadConverter,
  type Payload,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { TRACE_HEADER } from '../contracts/tracing/trace-workflow.ts';
import type { Span, SpanStart, TraceCarrier, Tracing } from '../contracts/tracing/tracing.ts';

/**
 * Traces each workflow that a client starts, and sends the trace along. Names of spans and attributes are those of
 * Temporal's own OpenTelemetry packages.
 */
export function tracedStarts(tracing: Tracing): WorkflowClientInterceptor {
  return {
    startWithDetails(input, next) {
      const start: SpanStart = {
        name: `StartWorkflow:${input.workflowType}`,
        kind: 'client',
        attributes: { temporalWorkflowID: input.options.workflowId },
      };
      const failure = (error: unknown) =>
        error instanceof WorkflowExecutionAlreadyStartedError ? undefined : typeOf(error);
      return settled(tracing, start, failure, () => {
        const headers = { ...input.headers, [TRACE_HEADER]: payloadOf(tracing.carrier()) };
        return next({ ...input, headers });
      });
    },
  };
}

/** Traces each attempt at an activity, as part of the trace in which its workflow was started. */
export function tracedActivities(tracing: Tracing): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      execute(input, next) {
        const event = eventTypeIn(input.args[0]);
        const { workflowId, runId } = info.workflowExecution ?? {};
        const start: SpanStart = {
          name: `RunActivity:${info.activityType}`,
          kind: 'server',
          attributes: {
            ...(workflowId === undefined ? {} : { temporalWorkflowID: workflowId }),
            ...(runId === undefined ? {} : { temporalRunID: runId }),
            temporalActivityID: info.activityId,
            'hapax.activity.attempt': info.attempt,
            ...(event === undefined ? {} : { 'hapax.event.type': event }),
          },
          parent: carrierIn(input.headers[TRACE_HEADER]),
        };
        return settled(tracing, start, activityFailure, () => next(input));
      },
    },
  });
}

/** Runs work within a span that fails only with some errors. */
async function settled<T>(
  tracing: Tracing,
  start: SpanStart,
  failureIn: (error: unknown) => string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const outcome = await tracing.within(start, (span: Span) =>
    work().then(
      (value) => ({ value }),
      (error: unknown) => {
        const failure = failureIn(error);
        if (failure !== undefined) span.fail(failure);
        return { error };
      },
    ),
  );
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

/**
 * Returns the type of an activity's failure; undefined if it did not fail. Waiting is no failure. A failed attempt at a task is
 * none either: the span of its code shows it.
 */
function activityFailure(error: unknown): string | undefined {
  if (!(error instanceof ApplicationFailure)) return typeOf(error);
  return error.category === ApplicationFailureCategory.BENIGN ? undefined : (error.type ?? error.name);
}

function typeOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** Returns the type of the event that an activity records. This is our own word; everything else in its arguments may be a user's. */
function eventTypeIn(request: unknown): string | undefined {
  const { event } = (request ?? {}) as { event?: { type?: unknown } };
  return typeof event?.type === 'string' ? event.type : undefined;
}

function payloadOf(carrier: TraceCarrier): Payload {
  return defaultPayloadConverter.toPayload(carrier);
}

/** Returns what a header carries; nothing if somebody else wrote it in another form. */
function carrierIn(payload: Payload | undefined): TraceCarrier {
  if (!payload) return {};
  try {
    const carrier = defaultPayloadConverter.fromPayload<Record<string, unknown> | null>(payload) ?? {};
    return Object.fromEntries(
      Object.entries(carrier).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  } catch {
    return {};
  }
}
