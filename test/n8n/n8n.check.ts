import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { directory, installation, startGitHub } from '../end-to-end/program.ts';
import { eventually } from '../world/eventually.ts';
import { startRabbitMq } from '../world/rabbitmq-server.ts';
import { startYouTubeStandIn } from '../world/youtube-stand-in.ts';
import { startLossyProxy } from './lossy-proxy.ts';
import { type N8n, type Node, startN8n, type Workflow } from './n8n.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples/n8n');
const SECRET = 'a secret of printable characters';

it('runs the examples and the nodes in a real n8n', { timeout: 900_000 }, async () => {
  const github = await startGitHub(await directory());
  const youtube = await startYouTubeStandIn();
  onTestFinished(() => youtube.close());
  youtube.videos.set('dQw4w9WgXcQ', { title: 'A talk', captions: ['Hello.'] });
  const rabbit = await startRabbitMq();
  onTestFinished(() => rabbit.close());
  const hapax = await installation(github, {
    ...{ YOUTUBE_API_URL: youtube.url, YOUTUBE_URL: youtube.url, YOUTUBE_API_KEY: 'key', AMQP_URL: rabbit.url },
    ...{ CALLBACK_ALLOWED_HOSTS: 'localhost', API_KEYS: `n8n=${'k'.repeat(24)}`, AI_PROVIDER: 'none' },
    CALLBACK_SECRET: `whsec_${Buffer.from(SECRET).toString('base64')}`,
  });
  const key = `Bearer ${'k'.repeat(24)}`;
  hapax.start();
  await hapax.ready();
  const proxy = await startLossyProxy(`http://127.0.0.1:${hapax.port}`);
  onTestFinished(() => proxy.close());
  const n8n = await startN8n();
  onTestFinished(() => n8n.close());

  const headerAuth = await n8n.credential('httpHeaderAuth', 'Hapax key', { name: 'Authorization', value: key });
  const hapaxApi = await n8n.credential('hapaxApi', 'Hapax', { baseUrl: `${proxy.url}/`, apiKey: 'k'.repeat(24) });
  const broker = new URL(rabbit.url);
  const rabbitmq = await n8n.credential('rabbitmq', 'RabbitMQ', {
    ...{ hostname: broker.hostname, port: Number(broker.port), username: 'guest', password: 'guest', vhost: '/' },
  });

  /** A node of an example as somebody sets it who has read the note: credentials, the URL of Hapax, the secret. */
  function set(node: Node): Node {
    if (node.type === 'n8n-nodes-base.httpRequest') {
      const parameters = {
        ...node.parameters,
        authentication: 'genericCredentialType',
        genericAuthType: 'httpHeaderAuth',
      };
      return { ...node, parameters, credentials: headerAuth };
    }
    if (node.type.startsWith('n8n-nodes-hapax.')) return { ...node, credentials: hapaxApi };
    if (node.type === 'n8n-nodes-base.rabbitmq') return { ...node, credentials: rabbitmq };
    if (node.name !== 'Settings') return node;
    const text = JSON.stringify(node.parameters)
      .replace('http://127.0.0.1:8000', proxy.url)
      .replace('PUT-THE-TEXT-OF-YOUR-SECRET-HERE', SECRET);
    return { ...node, parameters: JSON.parse(text) };
  }
  function example(file: string): Workflow {
    const workflow: Workflow = JSON.parse(readFileSync(join(EXAMPLES, file), 'utf8'));
    return { ...workflow, nodes: workflow.nodes.map(set) };
  }
  async function ran(workflow: Workflow) {
    const id = await n8n.importWorkflow(workflow);
    return n8n.ended(await n8n.run(id, 'Start'));
  }
  const runs = async () => (await github.oracle()).runs;

  await step('flower.json', async () => {
    const { status, output, error } = await ran(example('flower.json'));
    expect([status, error]).toEqual(['success', undefined]);
    expect(output('Use the result')).toEqual([
      expect.objectContaining({ content_id: 'yt:dQw4w9WgXcQ', title: 'A talk' }),
    ]);
  });

  await step('rabbitmq.json', async () => {
    const { status, output, error } = await ran(example('rabbitmq.json'));
    expect([status, error]).toEqual(['success', undefined]);
    expect(output('Use the task')).toEqual([
      expect.objectContaining({ status: 'SUCCESS', content_id: 'yt:dQw4w9WgXcQ' }),
    ]);
  });

  await step('task-callback.json', async () => {
    const { status, output, error } = await ran(example('task-callback.json'));
    expect([status, error]).toEqual(['success', undefined]);
    expect(output('Use the result')).toEqual([expect.objectContaining({ title: 'A talk' })]);
  });

  await step('build-callback.json', async () => {
    const before = await runs();
    const { status, output, error } = await ran(example('build-callback.json'));
    expect([status, error]).toEqual(['success', undefined]);
    expect(output('Use the build')).toEqual([expect.objectContaining({ conclusion: 'success' })]);
    expect(await runs()).toBe(before + 1);
  });

  await step('verified-callback.json', async () => {
    const { status, output, error } = await ran(example('verified-callback.json'));
    expect([status, error]).toEqual(['success', undefined]);
    expect(output('Use the build')).toEqual([expect.objectContaining({ status: 'success' })]);
    // The same from somebody who does not know the secret.
    const workflow = example('verified-callback.json');
    const other = JSON.parse(JSON.stringify(workflow).replace(SECRET, 'another secret'));
    const forged = await ran(other);
    expect([forged.status, forged.error?.message]).toEqual(['error', 'The signature of the callback does not fit']);
  });

  await step('build-retries.json: two responses get lost, and there is one build', async () => {
    const before = await runs();
    proxy.keys.length = 0;
    proxy.lose(2);
    const { status, output, error } = await ran(example('build-retries.json'));
    expect([status, error]).toEqual(['success', undefined]);
    expect(output('Use the build')).toEqual([expect.objectContaining({ status: 'success' })]);
    expect(await runs()).toBe(before + 1);
    expect(proxy.keys).toEqual([proxy.keys[0], proxy.keys[0], proxy.keys[0]]);
  });

  await step('hapax-node.json: the same with the node, which makes the key itself', async () => {
    const before = await runs();
    proxy.keys.length = 0;
    proxy.lose(2);
    const { status, output, error } = await ran(example('hapax-node.json'));
    expect([status, error]).toEqual(['success', undefined]);
    expect(output('Wait for the build')[0]).toMatchObject({ status: 'success', image_type: 'fedora-sway-atomic' });
    expect(output('Use the build')).toHaveLength(1);
    expect(await runs()).toBe(before + 1);
    expect(proxy.keys).toEqual([proxy.keys[0], proxy.keys[0], proxy.keys[0]]);
  });

  await step('the credential is tested', async () => {
    const test = async (data: object) => {
      const made = await n8n.credential('hapaxApi', 'Tried', data);
      const credentials = { ...made.hapaxApi, type: 'hapaxApi', data };
      return (await n8n.call('POST', '/credentials/test', { credentials })).status;
    };
    expect(await test({ baseUrl: proxy.url, apiKey: 'k'.repeat(24) })).toBe('OK');
    expect(await test({ baseUrl: proxy.url, apiKey: 'wrong' })).toBe('Error');
  });

  await step('hapax-trigger.json: subscribes, verifies, and ends the subscription', async () => {
    const auth = { authorization: key };
    const subscriptions = async () => (await hapax.call('GET', '/subscriptions', undefined, auth)).json.subscriptions;
    const id = await n8n.importWorkflow(example('hapax-trigger.json'));
    await n8n.activate(id);
    expect(await subscriptions()).toEqual([
      expect.objectContaining({ status: 'active', filter: { kinds: ['build'], outcomes: ['failure'] } }),
    ]);
    const [{ id: subscription }] = await subscriptions();
    expect((await hapax.call('POST', `/subscriptions/${subscription}/test`, undefined, auth)).json).toMatchObject({
      delivered: true,
    });
    const body = { ref: 'fails', inputs: { simulate: 'failure' } };
    const { json } = await hapax.call('POST', '/builds/trigger', body, auth);
    const [first] = await eventually(async () => {
      const found = await n8n.executionsOf(id);
      expect(found).toHaveLength(1);
      return found as [string];
    });
    expect((await n8n.ended(first)).output('Tell somebody')[0].text).toContain(`Build ${json.id} of acme/images`);
    // Whoever does not know the secret is refused, and nothing starts.
    const { webhookId } = example('hapax-trigger.json').nodes[0] as unknown as { webhookId: string };
    const now = `${Math.floor(Date.now() / 1_000)}`;
    const forged = await fetch(`${n8n.url}/webhook/${webhookId}/hapax`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', 'webhook-id': 'msg_1', 'webhook-timestamp': now },
        'webhook-signature': 'v1,AAAA',
      },
      body: '{"type":"build_completed"}',
    });
    expect([forged.status, await n8n.executionsOf(id)]).toEqual([401, [first]]);
    await n8n.activate(id, false);
    expect(await subscriptions()).toEqual([]);
  });

  await step('each operation of the node', async () => operations(ran, hapaxApi));
});

async function step(name: string, work: () => Promise<void>): Promise<void> {
  const begun = Date.now();
  try {
    await work();
    console.log(`ok    ${name} (${((Date.now() - begun) / 1_000).toFixed(1)} s)`);
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Runs every operation of the node, alone. */
async function operations(ran: (workflow: Workflow) => ReturnType<N8n['ended']>, credentials: object) {
  const start = {
    name: 'Start',
    type: 'n8n-nodes-base.manualTrigger',
    typeVersion: 1,
    parameters: {},
    position: [0, 0],
  };
  const one = async (resource: string, operation: string, parameters: object) => {
    const name = `${resource} ${operation}`;
    const node = { name, type: 'n8n-nodes-hapax.hapax', typeVersion: 1, credentials, position: [220, 0] };
    const found = await ran({
      name,
      nodes: [start, { ...node, id: name, parameters: { resource, operation, ...parameters } }] as unknown as Node[],
      connections: { Start: { main: [[{ node: name, type: 'main', index: 0 }]] } },
    });
    return { ...found, items: found.output(name) };
  };
  const done = async (resource: string, operation: string, parameters: object) => {
    const { error, items } = await one(resource, operation, parameters);
    expect(error, `${resource} ${operation}`).toBeUndefined();
    return items;
  };
  const held = (
    await done('build', 'trigger', { ref: 'held', additionalFields: { inputs: '{"simulate":"stuck"}', priority: 2 } })
  )[0];
  expect(held).toMatchObject({ status: 'queued', message: 'Build queued successfully' });
  const buildId = `${held.id}`;
  // The time is over before the end.
  expect(await done('build', 'wait', { buildId, seconds: 1 })).toEqual([
    expect.objectContaining({ id: held.id, completed_at: null, inputs: { simulate: 'stuck' } }),
  ]);
  expect((await done('build', 'cancel', { buildId }))[0]).toMatchObject({ id: held.id });
  expect((await done('build', 'wait', { buildId, seconds: 100 }))[0]).toMatchObject({ status: 'cancelled' });
  const empty = await done('build', 'trigger', {});
  expect(empty[0]).toMatchObject({ status: 'queued' });
  expect((await done('build', 'wait', { buildId: empty[0].id, seconds: 100 }))[0].status).toBe('success');
  // Its first run fails.
  const [flaky] = await done('build', 'trigger', {
    ref: 'flaky',
    additionalFields: { inputs: '{"simulate":"flaky"}' },
  });
  const again = { buildId: flaky.id, seconds: 100 };
  expect((await done('build', 'wait', again))[0].status).toBe('failure');
  expect((await done('build', 'retry', { buildId: flaky.id, mode: 'rerun' }))[0]).toMatchObject({ id: flaky.id });
  expect((await done('build', 'wait', again))[0].status).toBe('success');
  expect((await done('build', 'get', { buildId: empty[0].id }))[0].events.length).toBeGreaterThan(3);
  const few = await done('build', 'getAll', { returnAll: false, limit: 2 });
  expect(few).toHaveLength(2);
  const all = await done('build', 'getAll', { returnAll: true, filters: { status: 'cancelled' } });
  expect(all.map(({ id }) => id)).toEqual([held.id]);

  const keyed = { ref: 'main', idempotencyKey: 'of my own' };
  const twice = [await one('build', 'trigger', keyed), await one('build', 'trigger', keyed)];
  expect(twice.map(({ items }) => items[0].id)).toEqual([twice[0]!.items[0].id, twice[0]!.items[0].id]);
  // What Hapax refuses, and what to do.
  const reused = await one('build', 'trigger', { ...keyed, ref: 'other' });
  expect([reused.status, reused.error]).toEqual([
    'error',
    expect.objectContaining({ httpCode: '422', description: expect.stringContaining('{{ $itemIndex }}') }),
  ]);
  const missing = await one('build', 'get', { buildId: '999999' });
  expect(missing.error?.message).toContain('999999');

  const made = await done('task', 'create', { name: 'ingest_youtube', args: '["https://youtu.be/dQw4w9WgXcQ"]' });
  const taskId = made[0].task_id;
  expect((await done('task', 'wait', { taskId, seconds: 100 }))[0]).toMatchObject({ status: 'SUCCESS' });
  expect((await done('task', 'get', { taskId }))[0]).toMatchObject({ task_id: taskId });
  expect(await done('content', 'getAll', { limit: 10, filters: { type: 'youtube' } })).toEqual([
    expect.objectContaining({ content_id: 'yt:dQw4w9WgXcQ' }),
  ]);
  expect((await done('content', 'get', { contentId: 'yt:dQw4w9WgXcQ', chunks: true }))[0].chunk_texts).toHaveLength(1);
  expect((await done('search', 'search', { query: 'hello', limit: 3 }))[0].results[0]).toMatchObject({
    content_id: 'yt:dQw4w9WgXcQ',
  });
}
