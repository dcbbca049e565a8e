import { z } from 'zod';
import { baseUrl } from '../setting-forms.ts';
import { truth } from '../tasks/task-settings.ts';

const protocol = z.enum(['http/protobuf', 'http/json', 'grpc']);
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

const share = z
  .string()
  .refine((text) => text.trim() !== '' && Number(text) >= 0 && Number(text) <= 1, 'must be a number from 0 to 1')
  .transform(Number);

/** The variables of OpenTelemetry that Hapax reads, under their standard names. OpenTelemetry's exporter reads its own itself. */
export const tracingSettings = {
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'console', 'none']).optional().meta({
    description:
      'Where traces go: to a receiver of OTLP, or to standard output. Not set: to OTEL_EXPORTER_OTLP_ENDPOINT if that is set, otherwise nowhere.',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: baseUrl().optional().meta({
    description:
      'Root URL of a receiver of OTLP over HTTP, for example http://127.0.0.1:4318; traces go to /v1/traces there. Setting it turns traces on.',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: baseUrl()
    .optional()
    .meta({ description: 'The same for traces alone, with its path.' }),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional().meta({
    description: 'Headers for the receiver, as NAME=VALUE pairs, comma separated; values are URL-encoded.',
    secret: true,
  }),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol
    .optional()
    .meta({ description: 'Hapax sends `http/protobuf`, and refuses to start with another one.' }),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol
    .optional()
    .meta({ description: 'The same for traces alone, if OTEL_EXPORTER_OTLP_PROTOCOL is for other programs.' }),
  OTEL_EXPORTER_OTLP_CERTIFICATE: z
    .string()
    .optional()
    .meta({ description: 'File with the CA certificate of the receiver.' }),
  OTEL_EXPORTER_OTLP_COMPRESSION: z
    .enum(['gzip', 'none'])
    .optional()
    .meta({ description: 'Compression of what is sent. Not set: none.' }),
  OTEL_EXPORTER_OTLP_TIMEOUT: z
    .string()
    .regex(/^[1-9]\d{0,6}$/, 'must be a number of milliseconds, for example 10000')
    .optional()
    .meta({ description: 'Milliseconds that the receiver may take for one batch of spans. Default: 10000.' }),
  OTEL_SERVICE_NAME: z
    .string()
    .optional()
    .meta({ description: 'Name of the service in traces. Not set: hapax- and the role, as in hapax-api.' }),
  OTEL_RESOURCE_ATTRIBUTES: z
    .string()
    .optional()
    .meta({ description: 'Attributes of every span, as NAME=VALUE pairs, comma separated; values are URL-encoded.' }),
  OTEL_TRACES_SAMPLER: z.enum(SAMPLERS).default('parentbased_always_on').meta({
    description: 'Which traces are sent. `parentbased_`: what the caller decided in its `traceparent` counts.',
  }),
  OTEL_TRACES_SAMPLER_ARG: share
    .default(1)
    .meta({ description: 'Share of the traces that a sampler with `traceidratio` sends, from 0 to 1.' }),
  OTEL_SDK_DISABLED: truth.default(false).meta({ description: '`true` turns traces off, whatever else is set.' }),
};

type TracingSettings = z.output<z.ZodObject<typeof tracingSettings>>;

/** Returns where traces go. */
export function traceExporter(settings: TracingSettings): 'otlp' | 'console' | 'none' {
  if (settings.OTEL_SDK_DISABLED) return 'none';
  const isNamed = settings.OTEL_EXPORTER_OTLP_ENDPOINT ?? settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  return settings.OTEL_TRACES_EXPORTER ?? (isNamed === undefined ? 'none' : 'otlp');
}

export function tracingFaults(settings: TracingSettings): string[] {
  const { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: own, OTEL_EXPORTER_OTLP_PROTOCOL: shared } = settings;
  if (traceExporter(settings) !== 'otlp' || (own ?? shared ?? 'http/protobuf') === 'http/protobuf') return [];
  const name = own === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL';
  return [
    `${name}: Hapax sends http/protobuf only; set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf and the endpoint of the receiver for HTTP, usually port 4318`,
  ];
}
