import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { findTemporalCli } from '../../src/laptop/temporal-cli.ts';
import { eventually } from '../world/eventually.ts';
import { type OtlpReceiver, openOtlpReceiver, type ReceivedSpan } from '../world/otlp-receiver.ts';
import { answers, openReceiver } from '../world/receiver.ts';
import { openCloud } from './cloud.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const SECRETS = /hush-hush|a-secret-of-the-test|test-token|a-value-of-an-input|an argument/;

async function openReceiverOfTraces(): Promise<OtlpReceiver> {
  const receiver = await openOtlpReceiver();
  onTestFinished(() => receiver.close());
  return receiver;
}

const cloudWith = async (settings: Record<string, string>) => {
  const cloud = await openCloud(await findTemporalCli({ env: process.env, report: console.log }), settings);
  await cloud.temporal.start();
  cloud.startRoles();
  return cloud;
};

/** The spans of the trace, once there are those that are waited for. */
function spansOnce(receiver: OtlpReceiver, trace: string, ...names: string[]): Promise<ReceivedSpan[]> {
  return eventually(async () => {
    const spans = receiver.spans.filter((span) => span.trace_id === trace);
    for (const name of names) expect(spans.map((span) => span.name)).toContain(name);
    return spans;
  });
}

/** The names of a span and of those above it, the topmost first, with the process of each. */
function pathTo(span: ReceivedSpan, spans: ReceivedSpan[]): string[] {
  const parent = spans.find(({ span_id }) => span_id === span.parent_id);
  return [...(parent ? pathTo(parent, spans) : [String(span.parent_id)]), `${span.service} ${span.name}`];
}

it('a trace leads from its caller over API, workflow and forge to the end of the build and its callback, past a kill of the worker', async () => {
  const receiver = await openReceiverOfTraces();
  const cloud = await cloudWith({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-of-the-receiver=its%20key',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    CALLBACK_ALLOWED_HOSTS: '127.0.0.1',
    // A trace is no secret, so its header is readable also where payloads are not.
    TEMPORAL_CODEC_KEYS: `test=${randomBytes(32).toString('base64')}`,
    DEDUP_WINDOW: '1s',
    LOG_LEVEL: 'debug',
  });
  const callback = await openReceiver();
  onTestFinished(() => callback.close());
  callback.behave(answers(204));
  const trigger = {
    ref: 'traced',
    inputs: { simulate: 'stuck', note: 'a-value-of-an-input' },
    callback_url: callback.url,
  };
  const { id } = await eventually(async () => {
    const { status, json } = await cloud.asked('POST', '/builds/trigger', trigger, {
      traceparent: `00-${TRACE}-${CALLER}-01`,
    });
    expect(status).toBe(202);
    return json;
  });
  const build = async () => (await cloud.asked('GET', `/builds/${id}`)).json;
  const { workflow_run_id: run } = await eventually(async () => {
    const now = await build();
    expect(now.status).toBe('in_progress');
    expect(now.workflow_run_id).toEqual(expect.anything());
    return now;
  });
  const dispatch = 'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches';
  await spansOnce(receiver, TRACE, dispatch);
  await cloud.worker.kill();
  await cloud.github.control('POST', `/runs/${run}`, { status: 'completed', conclusion: 'failure' });
  cloud.worker.start();
  const spans = await spansOnce(receiver, TRACE, 'BUILD build.yml', 'POST callback', 'POST /builds/trigger');

  const one = (name: string) => spans.find((span) => span.name === name)!;
  const started = [CALLER, 'hapax-api POST /builds/trigger', 'hapax-api StartWorkflow:build'];
  expect(pathTo(one(dispatch), spans)).toEqual([
    ...started,
    'hapax-worker RunActivity:dispatchRun',
    `hapax-worker ${dispatch}`,
  ]);
  const ending = spans.find(({ attributes }) => attributes['hapax.event.type'] === 'build_completed')!;
  expect(pathTo(ending, spans)).toEqual([...started, 'hapax-worker RunActivity:appendBuildEvent']);
  expect(pathTo(one('BUILD build.yml'), spans)).toEqual([...started, 'hapax-worker BUILD build.yml']);
  expect(pathTo(one('POST callback'), spans)).toEqual([
    ...started,
    'hapax-worker RunActivity:sendCallback',
    'hapax-worker POST callback',
  ]);
  expect(callback.received[0]!.headers.traceparent).toBe(`00-${TRACE}-${one('POST callback').span_id}-01`);
  // The process that saw the build begin was killed; the record knew its times.
  const recorded = await build();
  const told = one('BUILD build.yml');
  expect([told.from.toISOString(), told.to.toISOString()]).toEqual([recorded.created_at, recorded.completed_at]);
  expect(told).toMatchObject({
    kind: 'server',
    failed: true,
    attributes: {
      'cicd.pipeline.action.name': 'BUILD',
      'cicd.pipeline.name': 'build.yml',
      'cicd.pipeline.result': 'failure',
      'cicd.pipeline.run.id': String(run),
      'cicd.pipeline.run.url.full': recorded.run_url,
      'error.type': 'failure',
      'vcs.provider.name': 'github',
      'vcs.owner.name': 'acme',
      'vcs.repository.name': 'images',
      'vcs.ref.head.name': 'traced',
      'hapax.build.id': id,
    },
  });
  expect(spans.filter(({ name }) => name === 'BUILD build.yml')).toHaveLength(1);
  expect(told.resource).toMatchObject({
    'deployment.environment.name': 'test',
    'service.instance.id': expect.any(String),
  });
  expect(receiver.headers[0]).toMatchObject({ 'x-of-the-receiver': 'its key' });
  // Lines of the log lead to the trace.
  const lines = (text: string) => text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const answered = lines(cloud.api.output).find(({ msg, path }) => msg === 'answered' && path === '/builds/trigger');
  expect(answered).toMatchObject({ trace_id: TRACE, span_id: one('POST /builds/trigger').span_id });
  expect(lines(cloud.worker.output).find(({ msg }) => msg === 'build ended')).toMatchObject({ trace_id: TRACE });

  const asked = await cloud.asked(
    'POST',
    '/tasks',
    { name: 'semantic_search', kwargs: { query: 'an argument' } },
    { traceparent: `00-${TRACE.replace('0', '1')}-${CALLER}-01` },
  );
  expect(asked.status).toBe(202);
  const ofTask = await spansOnce(receiver, TRACE.replace('0', '1'), 'task semantic_search', 'run semantic_search');
  const toTask = [CALLER, 'hapax-api POST /tasks', 'hapax-api StartWorkflow:taskRun'];
  const named = (name: string) => ofTask.find((span) => span.name === name)!;
  expect(pathTo(named('run semantic_search'), ofTask)).toEqual([
    ...toTask,
    'hapax-worker RunActivity:runTask',
    'hapax-worker run semantic_search',
  ]);
  expect(pathTo(named('task semantic_search'), ofTask)).toEqual([...toTask, 'hapax-worker task semantic_search']);
  expect(receiver.sent).not.toMatch(SECRETS);
});

it('a receiver that is away or hangs costs spans and one line of the log, and neither a request nor the end of a process', async () => {
  const receiver = await openReceiverOfTraces();
  receiver.behave(() => {});
  const cloud = await cloudWith({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_TIMEOUT: '1000' });
  const trigger = async (ref: string) => {
    const { json } = await eventually(async () => {
      const answer = await cloud.trigger(ref);
      expect(answer.status).toBe(202);
      return answer;
    });
    await cloud.succeeds(json.id);
  };
  await trigger('while-it-hangs');
  const lost = () => cloud.api.output.split('\n').filter((line) => line.includes('traces cannot be sent'));
  await eventually(async () => expect(lost()).toHaveLength(1));
  receiver.behave((response) => response.writeHead(503).end());
  await trigger('while-it-refuses');
  receiver.behave(undefined);
  await trigger('when-it-is-back');
  await eventually(async () => expect(cloud.api.output).toContain('traces arrive again'));
  await eventually(async () => expect(receiver.spans.map(({ name }) => name)).toContain('BUILD build.yml'));
  expect(lost()).toHaveLength(1);
  receiver.behave(() => {});
  await trigger('before-it-ends');
  cloud.api.stop();
  cloud.worker.stop();
  expect(await Promise.all([cloud.api.ended(), cloud.worker.ended()])).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ]);
});
