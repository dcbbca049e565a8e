import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { traceExporter } from '../../src/contracts/tracing/tracing-settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('the variables of OpenTelemetry', () => {
  it.each([
    [{}, 'none'],
    [{ OTEL_SERVICE_NAME: 'ours', OTEL_RESOURCE_ATTRIBUTES: 'a=b', OTEL_TRACES_SAMPLER: 'always_on' }, 'none'],
    [ENDPOINT, 'otlp'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, 'otlp'],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'otlp'],
    [{ OTEL_TRACES_EXPORTER: 'console' }, 'console'],
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, 'none'],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }, 'none'],
    // For other programs on this machine.
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'none'],
    [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' }, 'otlp'],
  ])('%j: traces go to %s', (environment, exporter) => {
    expect(traceExporter(readSettings(environment))).toBe(exporter);
  });

  it.each([
    [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /^OTEL_EXPORTER_OTLP_PROTOCOL: .*http\/protobuf.*4318$/],
    [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' }, /^OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: /],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4318' }, /^OTEL_EXPORTER_OTLP_ENDPOINT: must be an http/],
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /^OTEL_TRACES_EXPORTER: /],
    [{ OTEL_TRACES_SAMPLER: 'some' }, /^OTEL_TRACES_SAMPLER: /],
    [{ OTEL_TRACES_SAMPLER_ARG: '2' }, /^OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1$/],
  ])('%j stops the start', (environment, fault) => {
    expect(() => readSettings(environment)).toThrow(fault);
  });
});
