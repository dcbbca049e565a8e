import {
  type Context,
  context,
  type Span as OtelSpan,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Span, SpanStart, Tracing } from '../../contracts/tracing/tracing.ts';

export interface OpenTelemetryOptions {
  exporter: 'otlp' | 'console';
  sampler: string;
  /** For a sampler by ratio, from 0 to 1. */
  share: number;
  /** Used unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES sets another one. */
  serviceName: string;
  serviceVersion: string;
  /** Distinguishes this process from others of its service. */
  instanceId: string;
  /** Called when spans start to be lost, with the reason, and when they arrive again. */
  onState(state: { lost: string } | 'arriving'): void;
}

/** How long an ending process waits for the receiver to accept the last spans. */
const FAREWELL_MS = 3_000;

/**
 * Opens tracing with OpenTelemetry's SDK, for the whole process: spans that users' tasks make with `@opentelemetry/api` belong to the same
 * traces. Spans wait in memory, at most 2,048, and are sent in batches, at most every 5 s. While the receiver is away or slow, further ones
 * are dropped.
 */
export function openTelemetry(options: OpenTelemetryOptions): Tracing & { close(): Promise<void> } {
  const own = resourceFromAttributes({
    'service.name': options.serviceName,
    'service.version': options.serviceVersion,
    'service.instance.id': options.instanceId,
  });
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(own)
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(options),
    spanProcessors: [
      options.exporter === 'console'
        ? new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })
        : new BatchSpanProcessor({ exporter: watched(new OTLPTraceExporter(), options.onState) }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  const tracer = provider.getTracer('hapax', options.serviceVersion);

  return {
    within({ name, kind, attributes = {}, parent }, work) {
      const outside = parent ? propagation.extract(ROOT_CONTEXT, parent) : context.active();
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, outside);
      return context.with(trace.setSpan(outside, span), async () => {
        try {
          return await work(viewOf(span));
        } catch (error) {
          // Not its message, which may contain arguments.
          fail(span, error instanceof Error ? error.name : typeof error);
          throw error;
        } finally {
          span.end();
        }
      });
    },
    record(start, { from, to }, failure) {
      const span = tracer.startSpan(
        start.name,
        { kind: KINDS[start.kind], attributes: start.attributes ?? {}, startTime: from },
        besidePresent(),
      );
      if (failure !== undefined) fail(span, failure);
      span.end(to);
    },
    carrier() {
      const carrier: Record<string, string> = {};
      propagation.inject(context.active(), carrier);
      return carrier;
    },
    ids() {
      const { traceId: trace_id, spanId: span_id } = trace.getActiveSpan()?.spanContext() ?? {};
      return trace_id === undefined || span_id === undefined ? {} : { trace_id, span_id };
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FAREWELL_MS);
      });
      await Promise.race([provider.shutdown().catch(() => {}), late]);
      clearTimeout(timer);
      for (const part of [trace, context, propagation]) part.disable();
    },
  };
}

const KINDS: Record<SpanStart['kind'], SpanKind> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Returns the context in which a span gets the parent of the current one. If the current span has no parent, it becomes the parent. */
function besidePresent(): Context {
  const present = trace.getActiveSpan() as (OtelSpan & Partial<ReadableSpan>) | undefined;
  const above = present?.parentSpanContext;
  return above ? trace.setSpanContext(ROOT_CONTEXT, above) : context.active();
}

function viewOf(span: OtelSpan): Span {
  return {
    set: (attributes) => void span.setAttributes({ ...attributes }),
    rename: (name) => void span.updateName(name),
    fail: (type) => fail(span, type),
  };
}

function fail(span: OtelSpan, type: string): void {
  span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR });
}

/** Returns the sampler that OTEL_TRACES_SAMPLER names. */
function samplerOf({ sampler, share }: OpenTelemetryOptions): Sampler {
  const name = sampler.replace(/^parentbased_/, '');
  const root =
    name === 'always_off'
      ? new AlwaysOffSampler()
      : name === 'traceidratio'
        ? new TraceIdRatioBasedSampler(share)
        : new AlwaysOnSampler();
  return name === sampler ? root : new ParentBasedSampler({ root });
}

/** Reports once when the receiver is lost, and once when it is back. A report for every batch would be a line every five seconds. */
function watched(exporter: SpanExporter, onState: OpenTelemetryOptions['onState']): SpanExporter {
  let isLost = false;
  return {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void) {
      exporter.export(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        if (failed !== isLost) onState(failed ? { lost: result.error?.message || 'no reason is known' } : 'arriving');
        isLost = failed;
        done(result);
      });
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
