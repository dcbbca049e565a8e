import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

/** A span as it arrived, with the process that sent it. */
export interface ReceivedSpan {
  service: string;
  resource: Record<string, unknown>;
  trace_id: string;
  span_id: string;
  /** Undefined where it begins its trace. */
  parent_id: string | undefined;
  name: string;
  kind: string;
  attributes: Record<string, unknown>;
  failed: boolean;
  from: Date;
  to: Date;
}

/** The official definitions of OTLP (test/fixtures/otlp, from open-telemetry/opentelemetry-proto 1.9, Apache-2.0). */
const FIXTURES = fileURLToPath(new URL('../fixtures/otlp', import.meta.url));

interface KeyValue {
  key: string;
  value: { [kind: string]: unknown };
}

interface Request {
  resourceSpans?: Array<{
    resource: { attributes: KeyValue[] };
    scopeSpans: Array<{
      spans: Array<{
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        kind: string;
        attributes?: KeyValue[];
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        status?: { code?: string };
      }>;
    }>;
  }>;
}

/** A receiver of OTLP over HTTP on loopback that reads protobuf by OpenTelemetry's own definitions, and keeps every span. */
export async function openOtlpReceiver() {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => join(FIXTURES, target);
  await root.load('opentelemetry/proto/collector/trace/v1/trace_service.proto');
  const type = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest');
  const spans: ReceivedSpan[] = [];
  const raw: Buffer[] = [];
  const headers: Array<Record<string, unknown>> = [];
  let treat: ((response: ServerResponse) => void) | undefined;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (treat) return treat(response);
    if (request.method !== 'POST' || request.url !== '/v1/traces') return response.writeHead(404).end();
    headers.push(request.headers);
    const sent = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    raw.push(body);
    const decoded = type.toObject(type.decode(body), { longs: String, enums: String, bytes: Buffer }) as unknown;
    spans.push(...spansOf(decoded as Request));
    return response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    /** Everything that was sent, to look for what must not be there. */
    get sent() {
      return Buffer.concat(raw).toString('latin1');
    },
    headers,
    /** How requests are treated from now on; undefined: taken. */
    behave(next: typeof treat) {
      treat = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
export type OtlpReceiver = Awaited<ReturnType<typeof openOtlpReceiver>>;

function spansOf({ resourceSpans = [] }: Request): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const about = valuesOf(resource.attributes);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: String(about['service.name']),
        resource: about,
        trace_id: hex(span.traceId),
        span_id: hex(span.spanId),
        parent_id: span.parentSpanId?.length ? hex(span.parentSpanId) : undefined,
        name: span.name,
        kind: span.kind.replace('SPAN_KIND_', '').toLowerCase(),
        attributes: valuesOf(span.attributes ?? []),
        failed: span.status?.code === 'STATUS_CODE_ERROR',
        from: new Date(Number(BigInt(span.startTimeUnixNano) / 1_000_000n)),
        to: new Date(Number(BigInt(span.endTimeUnixNano) / 1_000_000n)),
      })),
    );
  });
}

function valuesOf(attributes: KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [kind = '', content] = Object.entries(value)[0] ?? [];
      return [key, kind === 'intValue' ? Number(content) : content];
    }),
  );
}

function hex(bytes: unknown): string {
  return (bytes as Buffer).toString('hex');
}
