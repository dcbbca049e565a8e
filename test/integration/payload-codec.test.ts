import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { temporalScheduleId } from '../../src/contracts/schedules/fire-workflow.ts';
import { payloadCodec } from '../../src/processes/payload-codec.ts';
import { eventually } from '../world/eventually.ts';
import { openReceiver, type Receiver } from '../world/receiver.ts';
import { setStreamBack } from '../world/set-back.ts';
import { openWorld, type World } from '../world/world.ts';
import { reconcileWorld } from './reconcile-world.ts';

const key = () => randomBytes(32);

describe('what Temporal keeps, with TEMPORAL_CODEC_KEYS', () => {
  const secret = `secret-${randomBytes(8).toString('hex')}`;
  const codecKeys = `one=${key().toString('base64')}`;
  let world: World;
  let receiver: Receiver;
  let connection: Connection;
  beforeAll(async () => {
    receiver = await openReceiver();
    world = await openWorld(
      'server',
      {
        TEMPORAL_CODEC_KEYS: codecKeys,
        CALLBACK_ALLOWED_HOSTS: 'localhost,127.0.0.1',
        TEMPORAL_UI_URL: 'http://127.0.0.1:8233',
      },
      { process_content: async () => ({ answer: secret }) },
    );
    connection = await Connection.connect({ address: inject('temporalAddress') });
  });
  afterAll(async () => {
    await connection?.close();
    await world?.close();
    await receiver?.close();
  });

  it('has neither inputs, arguments, results nor callback URLs in it, and all works as before', async () => {
    const callback_url = `${receiver.url}&of=${secret}`;
    const { id } = (await world.trigger({ inputs: { note: secret }, callback_url })).json;
    await world.ended(id);
    const asked = { name: 'process_content', args: [secret, ['embed']], callback_url };
    const { task_id } = (await world.call('POST', '/tasks', asked)).json;
    await eventually(async () =>
      expect((await world.call('GET', `/tasks/${task_id}`)).json).toMatchObject({
        ...{ status: 'SUCCESS', result: { answer: secret } },
      }),
    );
    await eventually(() => expect(receiver.received.length).toBeGreaterThanOrEqual(2));

    // Somebody who may read everything in Temporal, and has no key.
    const { workflowService } = connection;
    const { namespace } = world;
    const { api } = proto.temporal;
    const listed = await workflowService.listWorkflowExecutions({ namespace });
    const seen = [textOf(api.workflowservice.v1.ListWorkflowExecutionsResponse.encode(listed).finish())];
    for (const { execution } of listed.executions) {
      const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution: execution! });
      seen.push(textOf(api.history.v1.History.encode(history!).finish()));
    }
    const all = seen.join('\n');
    expect(all).toContain('binary/encrypted');
    expect(all).toContain(`task-${task_id}`);
    expect(all).not.toContain(secret);
  });

  it('is read with the key of the API, by the command line and by pages of the Web UI alone', async () => {
    const { workflowService } = connection;
    const { namespace } = world;
    const { executions } = await workflowService.listWorkflowExecutions({
      ...{ namespace, query: "WorkflowType = 'taskRun'" },
    });
    const { history } = await workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: executions[0]!.execution!,
    });
    const { payloads } = history!.events![0]!.workflowExecutionStartedEventAttributes!.input!;
    const { status, json } = await decode(world, payloads!);
    expect(status).toBe(200);
    expect(JSON.parse(Buffer.from(json.payloads[0].data, 'base64').toString()).args).toEqual([secret, ['embed']]);
    const [foreign] = await payloadCodec(new Map([['other', key()]])).encode([payloads![0]!]);
    expect(await decode(world, [foreign!])).toMatchObject({
      ...{ status: 422, json: { detail: expect.stringContaining('the key other, which TEMPORAL_CODEC_KEYS') } },
    });
    const leave = (origin: string) =>
      fetch(`${world.url}/temporal/decode`, {
        method: 'OPTIONS',
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
    expect((await leave('http://127.0.0.1:8233')).headers.get('access-control-allow-origin')).toBe(
      'http://127.0.0.1:8233',
    );
    expect((await leave('http://127.0.0.1:9999')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is what the record lost is restored from', async () => {
    const { id } = (await world.trigger({ ref: 'lost', inputs: { note: secret, simulate: 'failure' } })).json;
    const build = await world.ended(id);
    const asked = { name: 'process_content', args: ['lost', ['embed']] };
    const { task_id } = (await world.call('POST', '/tasks', asked)).json;
    const isCompleted = (query: string) =>
      eventually(async () => {
        const { count } = await world.client.workflow.count(`${query} AND ExecutionStatus = 'Completed'`);
        expect(count).toBe(1);
      });
    await isCompleted(`HapaxBuildId = '${id}'`);
    await isCompleted(`HapaxTaskId = '${task_id}'`);
    await setStreamBack(world.databaseUrl, { table: 'builds', id, events: 0, row: undefined });
    await setStreamBack(world.databaseUrl, { table: 'tasks', id: task_id, events: 0, row: undefined });
    const { stdout } = await reconcileWorld(world, [], { TEMPORAL_CODEC_KEYS: codecKeys });
    expect(stdout).toContain('2 differ, 0 could not be repaired');
    const { status, conclusion, inputs } = build;
    expect(await world.build(id)).toMatchObject({ status, conclusion, inputs });
    const { json } = await world.call('GET', `/tasks/${task_id}`);
    expect(json).toMatchObject({ status: 'SUCCESS', result: { answer: secret }, args: asked.args });
  });
});

describe('a key that is replaced', () => {
  it('is no longer needed by the schedules after a comparison, and does not stop them if it went too early', async () => {
    const [old, present] = [key(), key()];
    const setting = (id: string, bytes: Buffer) => `${id}=${bytes.toString('base64')}`;
    const world = await openWorld('server', { TEMPORAL_CODEC_KEYS: setting('old', old) });
    onTestFinished(() => world.close());
    const reconcile = async (TEMPORAL_CODEC_KEYS: string) => {
      const { lines } = await reconcileWorld(world, [], { TEMPORAL_CODEC_KEYS });
      return lines;
    };
    const put = async (name: string) => {
      const body = { build: { config: 'default' }, cron: ['0 0 1 1 *'] };
      expect((await world.call('PUT', `/schedules/${name}`, body)).status).toBe(201);
    };
    const both = `${setting('new', present)},${setting('old', old)}`;
    await put('in-time');
    // A process that was started without the keys writes nothing in the clear.
    expect(await reconcile('')).toEqual([
      expect.stringMatching(
        /^schedule:in-time .*: Temporal has the schedule encrypted, and TEMPORAL_CODEC_KEYS is not set$/,
      ),
      '1 differ, 1 could not be repaired',
    ]);
    expect(await reconcile(both)).toEqual([
      'schedule:in-time is not in Temporal as the record has it: applied',
      '1 differ, 0 could not be repaired',
    ]);
    expect(await reconcile(both)).toEqual(['0 differ, 0 could not be repaired']);
    await put('too-late');
    await world.stopWorker();
    expect(await reconcile(setting('new', present))).toEqual([
      'schedule:too-late is not in Temporal as the record has it: applied',
      '1 differ, 0 could not be repaired',
    ]);
    await world.startWorker({ TEMPORAL_CODEC_KEYS: new Map([['new', present]]) });
    for (const name of ['in-time', 'too-late']) {
      await world.client.schedule.getHandle(temporalScheduleId(name)).trigger();
      await eventually(async () =>
        expect((await world.call('GET', `/schedules/${name}`)).json).toMatchObject({ fired: 1 }),
      );
    }
  });
});

async function decode(world: World, payloads: Payload[]) {
  const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
  const json = payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
    data: base64(data),
  }));
  return world.call('POST', '/temporal/decode', { payloads: json });
}

/** All the text in a message, among other bytes. */
function textOf(message: Uint8Array): string {
  return Buffer.from(message).toString('latin1');
}

describe('the codec', () => {
  const [old, present] = [key(), key()];
  const payload = defaultPayloadConverter.toPayload({ url: 'https://x/ü' })!;

  it('reads what an earlier key wrote, and what was written before there was one', async () => {
    const before = await payloadCodec(new Map([['old', old]])).encode([payload, payload]);
    expect(before[0]).not.toEqual(before[1]);
    const both = payloadCodec(
      new Map([
        ['present', present],
        ['old', old],
      ]),
    );
    const [now] = await both.encode([payload]);
    const read = await both.decode([...before, now!, payload]);
    expect(read.map((one) => defaultPayloadConverter.fromPayload(one))).toEqual(Array(4).fill({ url: 'https://x/ü' }));
    await expect(payloadCodec(new Map([['old', old]])).decode([now!])).rejects.toThrow('the key present, which');
  });

  it('refuses what was changed, and a key that was given the id of another', async () => {
    const codec = payloadCodec(new Map([['old', old]]));
    const [encrypted] = await codec.encode([payload]);
    const data = Buffer.from(encrypted!.data!);
    data[20]! ^= 1;
    await expect(codec.decode([{ ...encrypted, data }])).rejects.toThrow();
    await expect(payloadCodec(new Map([['old', present]])).decode([encrypted!])).rejects.toThrow();
  });
});
