/** The Temporal header that carries a trace. Temporal's own OpenTelemetry packages use it in every language. */
export const TRACE_HEADER = '_tracer-data';
