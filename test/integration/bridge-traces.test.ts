import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openTelemetry } from '../../src/integrations/tracing/opentelemetry.ts';
import { openBridgeWorld } from '../world/bridge.ts';
import { eventually } from '../world/eventually.ts';
import { openOtlpReceiver } from '../world/otlp-receiver.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

describeWith({ RabbitMQ: hasRabbitMq, Redis: hasRedis }, 'the trace of a message', () => {
  it('leads from its publisher over the bridge and the workflow to the reply', async () => {
    const receiver = await openOtlpReceiver();
    onTestFinished(() => receiver.close());
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    const tracing = openTelemetry({
      ...{ exporter: 'otlp', sampler: 'parentbased_always_on', share: 1, serviceName: 'bridge', serviceVersion: '1' },
      ...{ instanceId: 'test', onState() {} },
    });
    const semantic_search = async ({ query }: { query: string }) => ({ query, results: [] });
    const open = await openBridgeWorld({ semantic_search });
    onTestFinished(() => open.close());
    await open.openBridge(tracing);
    const replyTo = `replies-${randomUUID()}`;
    await open.publish(replyTo, {});
    await open.next(replyTo);
    const send = (span: string) =>
      open.publish(
        'search',
        { task: 'tasks.semantic_search', args: ['x'] },
        {
          ...{ replyTo, correlationId: 'mine' },
          // As the instrumentation of Celery and of clients of AMQP writes it.
          headers: { traceparent: `00-${TRACE}-${span}-01` },
        },
      );
    await send(CALLER);
    const reply = await open.next(replyTo);
    // Another span is no other message: the task is there already, and its reply comes again.
    await send('00f067aa0ba902b7');
    await open.next(replyTo);
    expect((await open.world.call('GET', '/tasks')).json.tasks).toHaveLength(1);
    await open.closeBridge();
    await tracing.close();

    const spans = await eventually(async () => {
      expect(receiver.spans.map(({ name }) => name)).toContain('RunActivity:answerNow');
      return receiver.spans;
    });
    const one = (name: string, parent?: string) =>
      spans.find((span) => span.name === name && (parent === undefined || span.parent_id === parent))!;
    const taken = one('process search', CALLER);
    expect(taken).toMatchObject({
      trace_id: TRACE,
      kind: 'consumer',
      attributes: { 'messaging.system': 'rabbitmq', 'messaging.destination.name': 'search' },
    });
    const started = one('StartWorkflow:taskRun', taken.span_id);
    const answered = one('RunActivity:answerNow', started.span_id);
    expect(reply.properties.headers?.traceparent).toBe(`00-${TRACE}-${answered.span_id}-01`);
  });
});
