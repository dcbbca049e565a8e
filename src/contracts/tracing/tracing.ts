/** Carries a trace from one process to another: the headers of W3C Trace Context. Empty if nothing is traced. */
export type TraceCarrier = Readonly<Record<string, string>>;

/** The headers of W3C Trace Context. */
export const TRACE_CONTEXT_HEADERS: readonly string[] = ['traceparent', 'tracestate'];

/** Attributes of a span. They are never a secret, a user's URL or an argument. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A span before it starts. */
export interface SpanStart {
  /** One of few names: `{id}` stands for the id in a request. */
  name: string;
  /** `server` and `consumer` handle what another process sent; `client` and `producer` send. */
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  attributes?: SpanAttributes;
  /** The headers from another process. Left out: the span is a child of the current one. If they contain no trace, a new trace starts. */
  parent?: TraceCarrier;
}

/** A span that has started. */
export interface Span {
  set(attributes: SpanAttributes): void;
  rename(name: string): void;
  /** Marks the span as failed. @param type a word for the kind of error, not its message. */
  fail(type: string): void;
}

/** Reports what a process does as spans of traces. */
export interface Tracing {
  /** Runs work within a span, which ends with it. If the work throws, the span fails with the name of the error. */
  within<T>(start: SpanStart, work: (span: Span) => Promise<T>): Promise<T>;
  /** Reports a finished span that belongs beside the current one, below the same parent. @param failure a word for the kind of error. */
  record(start: SpanStart, times: { from: Date; to: Date }, failure?: string): void;
  /** Returns the current span, for another process. */
  carrier(): TraceCarrier;
  /** Returns the ids of the current span, for a line of a log; empty if there is none. */
  ids(): { trace_id?: string; span_id?: string };
}

/** The tracing of a process that is not asked for traces. */
export const NO_TRACING: Tracing = {
  within: (_, work) => work(NO_SPAN),
  record() {},
  carrier: () => ({}),
  ids: () => ({}),
};

const NO_SPAN: Span = { set() {}, rename() {}, fail() {} };
