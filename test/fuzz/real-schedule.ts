import { setTimeout as delay } from 'node:timers/promises';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import type { World } from '../world/world.ts';
import type { Accepted } from './checks.ts';
import { Dice } from './dice.ts';
import { drawFault } from './github.ts';

/** Settings of a world for schedules: short, so that what takes hours in earnest takes seconds. */
export const SETTINGS = {
  BUILD_DEADLINE: '5s',
  DEDUP_WINDOW: '1s',
  GITHUB_REQUEST_TIMEOUT: '1s',
  RECONCILE_WINDOW: '1s',
  GITHUB_WEBHOOK_SECRET: 'a-webhook-secret',
};

const TROUBLE_MS = 3_000;

/** What came of a schedule. */
export interface Lived {
  accepted: Accepted[];
  /** What was done, for whoever looks into a violation. */
  story: string[];
  /** Answers that the API must never give. */
  violations: string[];
  /** The workflows that were reset, and when. */
  resets: Array<{ workflowId: string; at: number }>;
}

/** What all schedules that live in a world share, drawn from the first one's seed. */
export async function settle(world: World, seed: number): Promise<void> {
  const dice = new Dice(seed * 2 + 1);
  await world.github.set({
    webhook: { url: `${world.url}/webhooks/github`, secret: SETTINGS.GITHUB_WEBHOOK_SECRET },
    queued_for_ms: dice.between(10, 300),
    running_for_ms: dice.between(10, 1_500),
    cancel_takes_ms: dice.pick([0, 100, 800]),
    knows_run_details: dice.chance(0.7),
    // Behind by less than the window is what the window is for.
    listing_lag_ms: dice.pick([0, 100, 500]),
  });
}

/** Lets a few builds live through what follows from a seed; others may live in the same world, on refs of their own. */
export async function runSchedule(world: World, seed: number, replaceWorker: () => Promise<void>): Promise<Lived> {
  const dice = new Dice(seed * 2);
  const lived: Lived = { accepted: [], story: [], violations: [], resets: [] };
  const beganAt = Date.now();
  const tell = (text: string) => lived.story.push(`${String(Date.now() - beganAt).padStart(6)} ms  ${seed}: ${text}`);
  const refs = [`s${seed}-a`, `s${seed}-b`];
  const wishes = refs.map(() => dice.pick(['', '', '', 'failure', 'timed_out', 'startup_failure', 'flaky', 'stuck']));
  const steps: Array<Promise<void>> = [];
  const at = (ms: number, work: () => Promise<unknown>) => steps.push(delay(ms).then(() => work().then(() => {})));
  const moment = () => dice.between(0, TROUBLE_MS);

  for (let n = dice.between(0, 4); n > 0; n--) {
    const { on, kind, times } = drawFault(dice, false);
    const isLimit = kind.endsWith('rate-limit');
    // Limits hold for all who share the credential, so they are few and short; only a dispatch names its ref.
    const fault = {
      ...{ on, kind, times: isLimit ? 1 : times, reset_in_s: 0, retry_after_s: dice.between(0, 1) },
      ...(on === 'dispatch' ? { match: dice.pick(refs) } : {}),
    };
    at(dice.chance(0.6) ? 0 : moment(), async () => {
      tell(`GitHub: ${JSON.stringify(fault)}`);
      await world.github.fault(fault);
    });
  }
  for (let n = dice.between(0, 4); n > 0; n--) {
    const kind = dice.pick(['lose', 'double', 'reorder', 'delay']);
    const fault = { on: 'webhook', kind, times: dice.pick([1, 2, 8]), ms: dice.between(50, 2_000), match: refs[0] };
    at(moment(), async () => {
      tell(`webhook: ${JSON.stringify(fault)}`);
      await world.github.fault(fault);
    });
  }

  /** Calls the API; what it refuses is its right, an error of its own is not. */
  const call = async (method: string, path: string, body: object, key?: string) => {
    const answer = await world.call(method, path, body, key === undefined ? {} : { 'idempotency-key': key });
    tell(`${method} ${path} ${JSON.stringify(body)} -> ${answer.status} ${answer.json?.id ?? answer.json?.detail}`);
    if (answer.status >= 500 && answer.status !== 503)
      lived.violations.push(`${method} ${path} was answered with ${answer.status}: ${answer.text}`);
    return answer;
  };
  const ask = (ms: number) => {
    const which = dice.between(0, 1);
    const ref = refs[which]!;
    const key = dice.chance(0.3) ? `key of ${ref}` : undefined;
    const body = { ref, ...(wishes[which] ? { inputs: { simulate: wishes[which] } } : {}) };
    at(ms, async () => {
      const { status, json } = await call('POST', '/builds/trigger', body, key);
      if (status === 202) lived.accepted.push({ id: json.id, ref, key });
    });
  };
  ask(dice.between(0, 200));
  for (let n = dice.between(0, 3); n > 0; n--) ask(dice.pick([dice.between(0, 200), moment()]));

  const words: Array<(id: number) => Promise<unknown>> = [
    (id) => call('POST', `/builds/${id}/cancel`, {}),
    (id) =>
      retryOrHelp(
        world,
        id,
        dice.pick([{}, { mode: 'rerun' }, { mode: 'rerun_failed' }, { mode: 'redispatch' }]),
        call,
      ),
    (id) => retryOrHelp(world, id, {}, call),
    (id) => call('POST', `/dlq/build:${id}/redrive`, {}),
    async (id) => {
      const { workflowId } = await leadingOf(world, id);
      tell(`temporal workflow cancel of build ${id}`);
      await world.client.workflow.getHandle(workflowId).cancel();
    },
    async (id) => {
      const reset = await resetAnywhere(world, id, dice.random());
      if (!reset) return;
      lived.resets.push(reset);
      tell(`temporal workflow reset of build ${id} to event ${reset.event}`);
    },
  ];
  for (let n = dice.between(0, 4); n > 0; n--) {
    const word = dice.pick(words);
    const which = dice.random();
    const say = async () => {
      const one = lived.accepted[Math.floor(which * lived.accepted.length)];
      // The build may have ended meanwhile, and its workflow with it.
      if (one) await word(one.id).catch((error: Error) => tell(`refused: ${error.message}`));
    };
    const first = moment();
    at(first, say);
    if (dice.chance(0.2)) at(first + dice.between(0, 30), say);
  }
  if (dice.chance(0.1)) {
    at(moment(), async () => {
      tell('the worker is replaced');
      await replaceWorker();
    });
  }
  await Promise.all(steps);
  return lived;
}

type Call = (method: string, path: string, body: object) => Promise<unknown>;

/** Answers a build that asks for help as somebody does who looks at GitHub first; retries any other. */
export async function retryOrHelp(world: World, id: number, how: object, call: Call): Promise<void> {
  const { json } = await world.call('GET', `/dlq/build:${id}`);
  const asksForHelp = (await world.build(id)).events.at(-1)?.event_type === 'build_needs_attention' && json;
  const run = (await world.github.runs()).find(({ token }) => token?.startsWith(`hapax-${id}-`));
  if (asksForHelp && run) await call('POST', `/builds/${id}/adopt`, { run_id: run.id });
  else await call('POST', `/builds/${id}/retry`, asksForHelp ? {} : how);
}

async function leadingOf(world: World, id: number): Promise<{ workflowId: string; build: BuildView }> {
  const build = await world.build(id);
  return { workflowId: String(build.events[0]?.event_data?.workflow_id), build };
}

/** `temporal workflow reset` of a build that has not ended to one of the tasks that were completed. */
async function resetAnywhere(world: World, id: number, where: number) {
  const { workflowId, build } = await leadingOf(world, id);
  if (build.completed_at !== null) return undefined;
  const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
  const tasks = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
  const event = Number(tasks[Math.floor(where * tasks.length)]?.eventId ?? 0);
  if (event === 0) return undefined;
  const at = Date.now();
  await world.client.workflowService.resetWorkflowExecution({
    namespace: world.namespace,
    workflowExecution: { workflowId },
    reason: 'search',
    requestId: `${workflowId} ${at}`,
    workflowTaskFinishEventId: event as never,
  });
  return { workflowId, at, event };
}
