import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { type OpenTelemetryOptions, openTelemetry } from '../../src/integrations/tracing/opentelemetry.ts';
import { traceEnds } from '../../src/processes/trace-ends.ts';
import { type OtlpReceiver, openOtlpReceiver } from '../world/otlp-receiver.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const sent = (flags: string) => ({ traceparent: `00-${TRACE}-${CALLER}-${flags}` });

let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await openOtlpReceiver();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await receiver.close();
});
beforeEach(() => void receiver.spans.splice(0));

function open(options: Partial<OpenTelemetryOptions> = {}) {
  const tracing = openTelemetry({
    ...{ exporter: 'otlp', sampler: 'parentbased_always_on', share: 1, serviceName: 'test', serviceVersion: '1' },
    ...{ instanceId: 'test', onState() {} },
    ...options,
  });
  onTestFinished(() => tracing.close());
  return tracing;
}

it('spans that the code of a user makes belong to the trace of its task', async () => {
  const tracing = open();
  await tracing.within({ name: 'outer', kind: 'internal', parent: sent('01') }, async () => {
    await trace.getTracer('of a user').startActiveSpan('inner', async (span) => {
      await new Promise((resolve) => setImmediate(resolve));
      expect(tracing.ids()).toEqual({ trace_id: TRACE, span_id: span.spanContext().spanId });
      expect(tracing.carrier()).toEqual({ traceparent: `00-${TRACE}-${span.spanContext().spanId}-01` });
      span.end();
    });
  });
  expect([tracing.ids(), tracing.carrier()]).toEqual([{}, {}]);
  await tracing.close();
  const [inner, outer] = ['inner', 'outer'].map((name) => receiver.spans.find((span) => span.name === name));
  expect(inner).toMatchObject({ trace_id: TRACE, parent_id: outer!.span_id });
  expect(outer).toMatchObject({ parent_id: CALLER, failed: false });
});

it('an error is told by its name, and its message, which may repeat an argument, is not', async () => {
  const tracing = open();
  const work = () => Promise.reject(new TypeError('no such card: 4111'));
  await expect(tracing.within({ name: 'fails', kind: 'internal' }, work)).rejects.toThrow('no such card');
  await tracing.close();
  expect(receiver.spans).toMatchObject([{ name: 'fails', failed: true, attributes: { 'error.type': 'TypeError' } }]);
  expect(receiver.sent).not.toContain('4111');
});

it.each([
  ['parentbased_always_on', 1, '01', true],
  ['parentbased_always_on', 1, '00', false],
  ['always_on', 1, '00', true],
  ['always_off', 1, '01', false],
  ['parentbased_always_off', 1, '01', true],
  ['parentbased_always_off', 1, undefined, false],
  ['traceidratio', 0, '01', false],
  ['traceidratio', 1, '00', true],
  ['parentbased_traceidratio', 0, undefined, false],
  ['parentbased_traceidratio', 0, '01', true],
])(
  '%s with %d and the flags %s of a caller: sent %s; the decision is passed on',
  async (sampler, share, flags, isSent) => {
    const tracing = open({ sampler, share });
    const parent = flags === undefined ? {} : sent(flags);
    await tracing.within({ name: 'sampled', kind: 'server', parent }, async () => {
      expect(tracing.carrier().traceparent).toMatch(isSent ? /-01$/ : /-00$/);
    });
    await tracing.close();
    expect(receiver.spans.map(({ name }) => name)).toEqual(isSent ? ['sampled'] : []);
  },
);

it.each(['', 'nonsense', `00-${'0'.repeat(32)}-${CALLER}-01`, `ff-${TRACE}-${CALLER}-01`, `00-${TRACE}-${CALLER}`])(
  'with the traceparent "%s", a new trace begins',
  async (traceparent) => {
    const tracing = open();
    await tracing.within({ name: 'alone', kind: 'server', parent: { traceparent } }, async () => {});
    await tracing.close();
    expect(receiver.spans).toMatchObject([{ name: 'alone', parent_id: undefined }]);
    expect(receiver.spans[0]!.trace_id).not.toBe(TRACE);
  },
);

it('the end of a build is told with the times of its last queueing and end, in the words of the conventions', async () => {
  const tracing = open();
  const ended: unknown[] = [];
  const meter = traceEnds({ buildEnded: (build: unknown) => void ended.push(build) } as never, tracing) as unknown as {
    buildEnded(build: object): void;
  };
  const request = { repository: 'acme/images', workflow: 'build.yml', ref: 'v1', inputs: { card: '4111' } };
  const build = (status: string, conclusion: string) => ({
    ...{ id: 7, config_id: 1, attempts: 2, request, run_attempt: 1, workflow_run_id: 99, run_url: 'https://x/99' },
    ...{ created_at: '2026-11-01T00:00:00.000Z', queued_at: '2026-11-02T00:00:00.000Z' },
    ...{ completed_at: '2026-11-02T03:00:00.000Z', status, conclusion },
  });
  const results = [
    ['success', 'success', 'success'],
    ['cancelled', 'cancelled', 'cancellation'],
    ['failure', 'timed_out', 'timeout'],
    ['failure', 'dispatch_rejected', 'error'],
    ['failure', 'a_word_of_tomorrow', 'failure'],
  ] as const;
  for (const [status, conclusion] of results) meter.buildEnded(build(status, conclusion));
  await tracing.close();
  expect(ended).toHaveLength(results.length);
  expect(receiver.spans).toMatchObject(
    results.map(([status, conclusion, result]) => ({
      name: 'BUILD build.yml',
      from: new Date('2026-11-02T00:00:00Z'),
      to: new Date('2026-11-02T03:00:00Z'),
      failed: status === 'failure',
      attributes: {
        'cicd.pipeline.result': result,
        'hapax.build.conclusion': conclusion,
        'cicd.pipeline.run.id': '99',
      },
    })),
  );
  expect(receiver.sent).not.toContain('4111');
});
