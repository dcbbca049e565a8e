import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { BUILD_WORKFLOW, type BuildInput } from '../../src/contracts/builds/build-workflow.ts';
import { callbackWorkflowId } from '../../src/contracts/endings/callback-workflow.ts';
import { temporalScheduleId } from '../../src/contracts/schedules/fire-workflow.ts';
import { subscriptionWorkflowId } from '../../src/contracts/subscriptions/subscription-workflow.ts';
import { REGISTER_WORKFLOW } from '../../src/contracts/tasks/registration-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { adoptSignal } from '../../src/workflows/messages.ts';
import { eventually } from '../world/eventually.ts';
import { answers, type Manner, openReceiver } from '../world/receiver.ts';
import type { World } from '../world/world.ts';
import { ANSWER_PATHS } from './answer-paths.ts';
import { DIRECT_PATHS } from './direct-paths.ts';
import { FORGE_PATHS, FORGE_SETTINGS } from './forge-paths.ts';
import { PYTHON_PATHS } from './python-paths.ts';
import { RECOVERY_PATHS } from './recovery-paths.ts';
import { SHADOW_PATHS, SHADOW_SETTINGS } from './shadow-paths.ts';
import { RECORDED_BY_ATTEMPT, TASK_PATHS, WITHOUT_PATCH } from './task-paths.ts';

/** A way through a workflow: leads one along it and answers with its id. */
type Path = (world: World) => Promise<string>;

/** What has a recorded history; the key is the name of its file. Each path has a world of its own. */
export const PATHS: Readonly<Record<string, Path>> = {
  ...TASK_PATHS,
  ...PYTHON_PATHS,
  ...DIRECT_PATHS,
  ...SHADOW_PATHS,
  'firing-of-a-schedule': async (world) => {
    const body = { build: { config: 'default' }, cron: ['@yearly'], jitter_seconds: 5 };
    await world.call('PUT', '/schedules/yearly', body);
    const schedule = world.client.schedule.getHandle(temporalScheduleId('yearly'));
    await schedule.trigger();
    return eventually(async () => (await schedule.describe()).info.recentActions[0]!.action.workflow.workflowId);
  },
  'build-success': (world) => triggered(world),
  'build-that-is-traced': (world) => triggered(world),
  'build-failure': (world) => triggered(world, { simulate: 'failure' }),
  'build-refused-with-422': async (world) => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-422', message: 'No ref found for: main' });
    return triggered(world);
  },
  'build-ambiguous-then-found': async (world) => {
    await world.github.fault({ on: 'dispatch', kind: 'accept-then-502' });
    return triggered(world);
  },
  'build-lost-then-sent-again': async (world) => {
    await world.github.fault({ on: 'dispatch', kind: 'reset' });
    return triggered(world);
  },
  'build-lost-four-times': async (world) => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-503', times: 4 });
    return triggered(world);
  },
  'build-whose-late-run-was-not-queued-yet': async (world) => {
    await world.github.fault(
      { on: 'dispatch', kind: 'accept-then-502' },
      { on: 'list', kind: 'omit', count: null, times: 5 },
      { on: 'cancel', kind: 'reject-with-409' },
    );
    const workflowId = await triggered(world, { simulate: 'stuck' });
    await seen(world, 'late_run_cancelled');
    const { workflow_run_id } = await world.build(1);
    await world.github.force(workflow_run_id!, 'completed', 'success');
    return workflowId;
  },
  'build-rate-limited': async (world) => {
    await world.github.fault({ on: 'dispatch', kind: 'secondary-rate-limit', retry_after_s: 1, times: 2 });
    return triggered(world);
  },
  'build-needs-attention-then-adopted': async (world) => {
    await world.github.set({ echoes_correlation: false });
    await world.github.fault({ on: 'dispatch', kind: 'accept-then-reset' });
    const workflowId = await triggered(world);
    await eventually(async () => {
      if (!(await world.build(1)).needs_attention) throw new Error('the build does not need attention');
    });
    const [run] = await world.github.runs();
    await world.client.workflow.getHandle(workflowId).signal(adoptSignal, { run_id: run!.id });
    return workflowId;
  },
  'build-whose-runs-cannot-be-read': async (world) => {
    await world.github.fault(
      { on: 'dispatch', kind: 'accept-then-502' },
      { on: 'list', kind: 'reject-with-404', times: null },
    );
    const workflowId = await triggered(world);
    await seen(world, 'build_needs_attention');
    await world.github.control('DELETE', '/faults');
    await world.call('POST', '/builds/1/cancel', {});
    return workflowId;
  },
  'build-deadline': (world) => triggered(world, { simulate: 'stuck' }),
  'build-cancelled-while-it-waits': async (world) => {
    await world.github.fault({ on: 'dispatch', kind: 'primary-rate-limit', reset_in_s: 600 });
    const workflowId = await triggered(world);
    await seen(world, 'dispatch_delayed');
    await world.call('POST', '/builds/1/cancel', {});
    return workflowId;
  },
  'build-cancelled-while-it-runs': async (world) => {
    const workflowId = await triggered(world, { simulate: 'stuck' });
    await seen(world, 'run_updated');
    await world.call('POST', '/builds/1/cancel', {});
    return workflowId;
  },
  'build-whose-cancellation-waits': async (world) => {
    const workflowId = await triggered(world, { simulate: 'stuck' });
    await seen(world, 'run_updated');
    await world.github.fault({ on: 'cancel', kind: 'secondary-rate-limit', retry_after_s: 1 });
    await world.call('POST', '/builds/1/cancel', {});
    return workflowId;
  },
  'build-rerun-in-doubt': async (world) => {
    const workflowId = await triggered(world, { simulate: 'flaky' });
    await world.ended(1);
    await world.github.fault({ on: 'rerun', kind: 'accept-then-502' });
    await world.call('POST', '/builds/1/retry', {});
    return workflowId;
  },
  'build-rerun-cancelled-before-it-was-sent': async (world) => {
    const workflowId = await triggered(world, { simulate: 'flaky' });
    await world.ended(1);
    await world.stopWorker();
    await world.call('POST', '/builds/1/retry', {});
    await world.call('POST', '/builds/1/cancel', {});
    await world.startWorker();
    return workflowId;
  },
  'build-redispatched-after-a-failure': async (world) => {
    const workflowId = await triggered(world, { simulate: 'failure' });
    await world.ended(1);
    await world.call('POST', '/builds/1/retry', { mode: 'redispatch' });
    return workflowId;
  },
  // As builds were recorded before a look was part of the workflow task.
  'build-woken-by-webhooks': wokenByWebhooks,
  'build-that-looks-within-the-task': wokenByWebhooks,
  'build-reopened-after-a-failure': (world) => runAgainInGitHub(world, { simulate: 'flaky' }),
  'build-reopened-while-open': (world) => runAgainInGitHub(world),
  'build-waited-for-its-turn': (world) =>
    inLane(world, 'queue', async () => {
      await world.call('POST', '/builds/1/cancel', {});
    }),
  'build-cancelled-an-earlier-build': (world) => inLane(world, 'cancel_previous'),
  'build-waited-for-its-slot': async (world) => {
    await triggered(world);
    return triggered(world, { number: '2' });
  },
  'build-worker-lost-while-it-sent': async (world) => {
    const { input } = await started(world, await triggered(world));
    await world.github.fault({ on: 'dispatch', kind: 'accept-then-hang' });
    // The activity's time-out is 10 s then, and the client waits longer than that: as if the worker were gone.
    const policy = { ...input.policy, request_timeout_ms: 0 };
    const key = randomUUID();
    const workflowId = `build-${key}`;
    const request = { ...input.request, ref: 'other' };
    await world.client.workflow.start(BUILD_WORKFLOW, {
      workflowId,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [
        { ...input, build_id: 9_000, workflow_id: workflowId, request_key: key, fingerprint: key, request, policy },
      ],
    });
    return workflowId;
  },
  'build-that-calls-back': (world) => calledBack(world, answers(204)),
  'build-that-calls-back-to-two': async (world) => {
    const [one, other] = [await openReceiver(), await openReceiver()];
    onTestFinished(() => Promise.all([one.close(), other.close()]).then(() => {}));
    const workflowId = await triggered(world, { simulate: 'stuck' }, { callback_url: one.url });
    await triggered(world, { simulate: 'stuck' }, { callback_url: other.url });
    await world.call('POST', '/builds/1/cancel', {});
    return workflowId;
  },
  'callback-that-failed-twice': async (world) => {
    await calledBack(world, answers(500), answers(409, {}, 'The execution "7" is running already.'), answers(204));
    await seen(world, 'callback_delivered');
    return callbackWorkflowId({ subject: 'build:1', ending: 'completed' });
  },
  'callback-to-nobody': async (world) => {
    await calledBack(world, answers(410));
    await seen(world, 'callback_failed');
    return callbackWorkflowId({ subject: 'build:1', ending: 'completed' });
  },
  'subscription-whose-receiver-failed': async (world) => {
    const receiver = await openReceiver();
    onTestFinished(() => receiver.close());
    receiver.behave(answers(503, { 'retry-after': '30' }), answers(204));
    const { json } = await world.call('POST', '/subscriptions', {
      url: receiver.url,
      filter: { types: ['build_queued'] },
    });
    await triggered(world);
    await eventually(async () => {
      const { failing_since } = (await world.call('GET', `/subscriptions/${json.id}`)).json;
      if (failing_since === null) throw new Error('it does not fail yet');
    });
    await world.call('POST', `/subscriptions/${json.id}/disable`);
    await eventually(() => world.client.workflow.getHandle(subscriptionWorkflowId(json.id)).result());
    return subscriptionWorkflowId(json.id);
  },
  'registration-of-task-types': async (world) => {
    const workflowId = 'registration-by-a-test';
    const types = [{ name: 'tasks.add', queue: 'math', parameters: null }];
    const registration = { version: 1, identity: '1@test', runtime: 'python', queues: ['math'], types };
    await world.client.workflow.start(REGISTER_WORKFLOW, {
      ...{ workflowId, taskQueue: WORKFLOW_TASK_QUEUE, args: [registration] },
    });
    return workflowId;
  },
  'task-that-waits-for-its-type': async (world) => {
    const register = (workflowId: string, types: object[]) =>
      world.client.workflow.execute(REGISTER_WORKFLOW, {
        ...{ workflowId, taskQueue: WORKFLOW_TASK_QUEUE },
        args: [{ version: 1, identity: '1@test', runtime: 'typescript', queues: ['later'], types }],
      });
    await register('before', []);
    const { json } = await world.call('POST', '/tasks', { name: 'made.later', queue: 'later', task_id: 'early' });
    const workflowId = taskWorkflowId(json.task_id);
    await register('after', [{ name: 'made.later', queue: 'later', parameters: [] }]);
    await eventually(async () => {
      const history = await world.client.workflow.getHandle(workflowId).fetchHistory();
      const asked = history.events?.filter((event) => event.activityTaskScheduledEventAttributes);
      if (asked?.at(-1)?.activityTaskScheduledEventAttributes?.activityType?.name !== 'runTask')
        throw new Error('it waits');
    });
    await world.call('POST', `/tasks/${json.task_id}/cancel`, {});
    return workflowId;
  },
  ...ANSWER_PATHS,
  ...FORGE_PATHS,
  ...RECOVERY_PATHS,
};

const WOKEN = { GITHUB_WEBHOOK_SECRET: 'a-secret', GITHUB_POLL_INTERVAL: '10m', DEDUP_WINDOW: '1s' };
/** Paths whose workflow is started with a trace. */
export const TRACED: ReadonlySet<string> = new Set(['build-that-is-traced']);

const CALLED_BACK = { CALLBACK_ALLOWED_HOSTS: '127.0.0.1' };

/** Settings a path needs beside those of test worlds. */
export const SETTINGS: Readonly<Record<string, object>> = {
  ...FORGE_SETTINGS,
  ...SHADOW_SETTINGS,
  'sweep-of-deliveries': { GITHUB_WEBHOOK_SECRET: 'a-secret' },
  // Long enough to be waited for.
  'build-success': { DEDUP_WINDOW: '5s' },
  'build-deadline': { BUILD_DEADLINE: '1s' },
  'build-whose-runs-cannot-be-read': { BUILD_DEADLINE: '1s' },
  'build-woken-by-webhooks': WOKEN,
  'build-that-looks-within-the-task': { ...WOKEN, DEDUP_WINDOW: '5s' },
  'build-reopened-after-a-failure': { GITHUB_WEBHOOK_SECRET: 'a-secret' },
  'build-reopened-while-open': { GITHUB_WEBHOOK_SECRET: 'a-secret', DEDUP_WINDOW: '5s' },
  'build-waited-for-its-slot': { GITHUB_WRITE_INTERVAL: '2s' },
  'build-worker-lost-while-it-sent': { GITHUB_REQUEST_TIMEOUT: '13s' },
  'build-that-calls-back': CALLED_BACK,
  'build-that-calls-back-to-two': CALLED_BACK,
  'callback-that-failed-twice': CALLED_BACK,
  'callback-to-nobody': CALLED_BACK,
  'subscription-whose-receiver-failed': CALLED_BACK,
  'task-that-calls-back': CALLED_BACK,
  [`task-that-calls-back${RECORDED_BY_ATTEMPT}`]: CALLED_BACK,
  [`task-that-calls-back${WITHOUT_PATCH}`]: CALLED_BACK,
};

async function triggered(world: World, inputs: Record<string, string> = {}, body: object = {}): Promise<string> {
  const { json } = await world.trigger({ inputs, ...body });
  return eventually(async () => String((await world.build(json.id)).events[0]!.event_data!.workflow_id));
}

/** Leads a build to an end that only webhooks tell of. */
async function wokenByWebhooks(world: World): Promise<string> {
  await world.github.set({ webhook: { url: `${world.url}/webhooks/github`, secret: 'a-secret' } });
  return triggered(world);
}

/** Leads two builds of one lane, the second past the first; answers with the workflow of the second. */
async function inLane(world: World, concurrency: string, meanwhile = async () => {}): Promise<string> {
  const content = { repository: 'acme/images', workflow: 'build.yml', concurrency };
  await world.call('PUT', '/configs/by-name/turns', content);
  const trigger = (inputs: object) => world.trigger({ config: 'turns', inputs });
  await trigger({ simulate: 'stuck' });
  await seen(world, 'run_updated');
  const { json } = await trigger({ number: '2' });
  await meanwhile();
  return String((await world.build(json.id)).events[0]!.event_data!.workflow_id);
}

/** A build whose receiver treats its callback so, one manner a try. */
async function calledBack(world: World, ...manners: Manner[]): Promise<string> {
  const receiver = await openReceiver();
  onTestFinished(() => receiver.close());
  receiver.behave(...manners);
  return triggered(world, {}, { callback_url: receiver.url });
}

/** Leads a build to its end, and past it by a re-run that somebody starts in GitHub. */
async function runAgainInGitHub(world: World, inputs: Record<string, string> = {}): Promise<string> {
  await world.github.set({ webhook: { url: `${world.url}/webhooks/github`, secret: 'a-secret' } });
  const workflowId = await triggered(world, inputs);
  const { workflow_run_id } = await world.ended(1);
  await world.github.control('POST', `/runs/${workflow_run_id}`, { action: 'rerun' });
  await seen(world, 'build_reopened');
  return workflowId;
}

/** Waits until the first build has an event of a type. */
async function seen(world: World, type: string): Promise<void> {
  await eventually(async () => {
    const { events } = await world.build(1);
    if (!events.some((event) => event.event_type === type)) throw new Error(`there is no ${type} yet`);
  });
}

/** What a workflow was started with. */
async function started(world: World, workflowId: string): Promise<{ input: BuildInput }> {
  const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
  const [payload] = events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads!;
  return { input: JSON.parse(Buffer.from(payload!.data!).toString('utf8')) };
}
