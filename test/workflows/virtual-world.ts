import { randomUUID } from 'node:crypto';
import { activityInfo } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { expect } from 'vitest';
import { toFailure } from '../../src/activities/failures.ts';
import { githubActivities } from '../../src/activities/github.ts';
import {
  BUILD_WORKFLOW,
  type BuildInput,
  type BuildPolicy,
  buildWorkflowId,
  TELL_AGAIN_SIGNAL,
} from '../../src/contracts/builds/build-workflow.ts';
import { type BuildEvent, type BuildEventType, buildEventData } from '../../src/contracts/builds/event.ts';
import type { FailedJob } from '../../src/contracts/builds/failed-job.ts';
import type { DispatchOutcome, Finding, RerunOutcome, RunView } from '../../src/contracts/github/github.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import { type Build, evolve } from '../../src/domain/builds/build.ts';
import { policyOf } from '../../src/domain/builds/configuration.ts';
import { buildQueuedEvent } from '../../src/domain/record/first-events.ts';
import type { Forge } from '../../src/integrations/forges/forge.ts';
import { ForgeError } from '../../src/integrations/forges/forge-error.ts';
import { rowOfBuild } from '../../src/store/builds/build-row.ts';
import type { Db } from '../../src/store/database.ts';
import { workflowBundle } from '../../src/worker/bundle.ts';
import type { build } from '../../src/workflows/index.ts';
import type { RecordPort } from '../../src/workflows/ports/record.ts';
import { releaseTime, startTestServer } from '../world/test-server.ts';
import '../world/temporal-runtime.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The policy of a build under the default settings. */
export const DEFAULT_POLICY = policyOf(readSettings({}));

/** The run that a dispatch makes where the script says no other. */
export const RUN_ID = 1001;
export const accepted: DispatchOutcome = {
  kind: 'accepted',
  run_id: RUN_ID,
  run_url: urlOf(RUN_ID),
  correlated: true,
  request_id: 'R1',
};
export const ambiguous = {
  kind: 'ambiguous',
  reason: 'HTTP 502',
  accepted: false,
  correlated: true,
  request_id: 'R2',
} satisfies DispatchOutcome;
export const absent: Finding = { kind: 'absent' };

export function found(...runIds: number[]): Finding {
  return { kind: 'found', runs: runIds.map((run_id) => ({ run_id, run_url: urlOf(run_id) })) };
}

export function urlOf(runId: number): string {
  return `https://github.test/acme/images/actions/runs/${runId}`;
}

/** What happens to one build. Of each list the last entry stands for all that come after it. */
export interface Script {
  /** How long every write waits for its slot. Default: not at all. */
  writeSlotInMs?: number;
  /** What becomes of the dispatches, in order; `worker lost` never answers. Default: accepted. */
  dispatch?: Array<DispatchOutcome | 'worker lost'>;
  /** What the readings of the reconciler find, in order; an error: GitHub does not list the runs. Default: nothing. */
  find?: Array<Finding | ForgeError>;
  /** The state of the run so long after it became the build's, and after it was told to stop. Default: see `ordinary`. */
  run?: (
    elapsedMs: number,
    sinceCancelMs: number | null,
    runAttempt: number,
  ) => { status: string; conclusion?: string };
  /** Strikes every telling of an event before it reaches the record, and, if `after`, before its answer goes back. */
  tell?: (telling: { type: BuildEventType; local: boolean; nth: number; after: boolean }) => void | Promise<void>;
  /** Strikes every reading of the build from the record. */
  readRecord?: (nth: number) => void;
  /** Stands in the record before the workflow begins. */
  before?: (input: BuildInput) => BuildEvent[];
  policy?: Partial<BuildPolicy>;
  /** Begins the build again, after a failure that `before` tells. */
  resume?: BuildInput['resume'];
  /** What becomes of the re-runs, in order. Default: done. */
  rerun?: RerunOutcome[];
  /** What GitHub answers to each cancellation; false: it cannot be cancelled; an error: it was not asked. Default: it is. */
  cancel?: Array<boolean | ForgeError>;
  /** Attempts of the run that somebody else asked for. Default: none. */
  runAgain?: () => number;
  /** What GitHub says of the jobs of a run that ended badly. Default: nothing. */
  failedJobs?: FailedJob[] | 'away';
  /** GitHub answers 404 to every look at the run. */
  deleted?: boolean;
  /** GitHub answers 502 to every look at the run. */
  unreadable?: boolean;
  /** Has the workflow record all of it again, by a signal that is there when it begins. */
  tellAgain?: boolean;
}

/** What is asked of GitHub by the activities. */
type Asked = Pick<Forge, 'reserveWrite'> &
  Pick<Forge['writes'], 'dispatch' | 'cancel' | 'rerun'> &
  Pick<Forge['runs'], 'find' | 'changed' | 'read' | 'sees' | 'failedJobs'>;

/** One request to GitHub; `at` is virtual time, epoch milliseconds. */
export interface Call {
  name: keyof Asked;
  at: number;
  attempt: number;
  run_id?: number;
  /** Of a re-run or a cancellation: GitHub did it, or said that it cannot be cancelled. */
  done?: boolean;
  token?: string | undefined;
  tokens?: readonly string[];
  since?: string;
}

const ordinary: NonNullable<Script['run']> = (elapsed, sinceCancel) => {
  if (elapsed >= 20 * MINUTE) return { status: 'completed', conclusion: 'success' };
  if (sinceCancel !== null) return { status: 'completed', conclusion: 'cancelled' };
  return { status: elapsed < MINUTE ? 'queued' : 'in_progress' };
};

/** Temporal's time-skipping test server: waits of hours pass as soon as nothing else is left to do. */
export async function openVirtualWorld() {
  const environment = await startTestServer();
  const workers: Array<{ worker: Worker; running: Promise<void> }> = [];
  let builds = 0;
  /** The test that started the last build. */
  let test: string | undefined;

  return {
    now: () => environment.currentTimeMs(),
    /** Lets so much virtual time pass. */
    pass: (ms: number) => environment.sleep(ms),

    /** Starts the workflow of a build whose activities follow the script, with a worker of its own. */
    async start(script: Script = {}) {
      const { currentTestName } = expect.getState();
      if (currentTestName !== test) await releaseTime(environment);
      test = currentTestName;
      builds += 1;
      const input = inputOf(builds, await environment.currentTimeMs(), script);
      const record = memoryRecord(input, script);
      const calls: Call[] = [];
      const scripted = scriptedGitHub(script, calls, record, environment.sleep);
      const taskQueue = `virtual-${randomUUID()}`;
      const worker = await Worker.create({
        connection: environment.nativeConnection,
        namespace: 'default',
        taskQueue,
        workflowBundle: { codePath: await workflowBundle() },
        activities: failing({
          ...record.port,
          listCallbackTargets: async () => [],
          ...githubActivities(record.db, { of: () => scripted }),
        }),
      });
      workers.push({ worker, running: worker.run() });
      const options = {
        workflowId: input.workflow_id,
        taskQueue,
        // An idle server goes on to the next timer: without this, by ten years for each build, past what it can count (2106).
        workflowExecutionTimeout: '60 days',
        args: [input] as [BuildInput],
      } as const;
      const { workflow } = environment.client;
      const handle = script.tellAgain
        ? await workflow.signalWithStart<typeof build>(BUILD_WORKFLOW, { ...options, signal: TELL_AGAIN_SIGNAL })
        : await workflow.start<typeof build>(BUILD_WORKFLOW, options);
      return {
        input,
        handle,
        calls,
        record,
        began: Date.parse(input.created_at),
        /** The requests of one kind. */
        asked: (name: Call['name']) => calls.filter((call) => call.name === name),
        /** Lets time pass until the workflow is closed; answers with its result and when it closed. */
        async closed() {
          const result = await handle.result();
          return { result, at: (await handle.describe()).closeTime!.getTime() };
        },
      };
    },

    async close() {
      for (const { worker } of workers) worker.shutdown();
      await Promise.all(workers.map(({ running }) => running));
      await environment.teardown();
    },
  };
}
export type VirtualWorld = Awaited<ReturnType<typeof openVirtualWorld>>;
export type VirtualBuild = Awaited<ReturnType<VirtualWorld['start']>>;

function inputOf(buildId: number, now: number, { policy, resume }: Script): BuildInput {
  const key = randomUUID();
  return {
    build_id: buildId,
    workflow_id: buildWorkflowId(key),
    request_key: key,
    fingerprint: key,
    keyed: false,
    caller: 'test',
    config_id: 1,
    config_version: 1,
    image_type: null,
    fedora_version: null,
    priority: 3,
    request: { repository: 'acme/images', workflow: 'build.yml', ref: 'main', inputs: {} },
    created_at: new Date(now).toISOString(),
    dedup_until: new Date(now + readSettings({}).DEDUP_WINDOW).toISOString(),
    policy: { ...DEFAULT_POLICY, ...policy },
    ...(resume ? { resume } : {}),
  };
}

/** A record in memory that holds to the rules of the real one: dedupe keys, and no event that cannot follow. */
function memoryRecord(input: BuildInput, { tell, before, readRecord }: Script) {
  const events: BuildEvent[] = [];
  const tellings = new Map<string, number>();
  let build: Build | undefined;
  const append = (event: BuildEvent): BuildEvent => {
    const standing = events.find((other) => other.dedupe_key === event.dedupe_key);
    if (standing) return standing;
    build = evolve(build, event);
    events.push(event);
    return event;
  };
  for (const event of [buildQueuedEvent(input), ...(before?.(input) ?? [])]) append(event);
  const port: Pick<RecordPort, 'appendBuildEvent' | 'isTold' | 'findBuildEnd'> = {
    isTold: async ({ dedupe_key }) => events.some((event) => event.dedupe_key === dedupe_key),
    async findBuildEnd() {
      if (!build?.completed_at) return null;
      const { status, conclusion, run_url } = build;
      const { dedupe_key } = events.findLast(({ type }) => type === 'build_completed' || type === 'build_cancelled')!;
      return { status, conclusion: conclusion!, run_url, dedupe_key };
    },
    async appendBuildEvent({ event }) {
      const nth = (tellings.get(event.dedupe_key) ?? 0) + 1;
      tellings.set(event.dedupe_key, nth);
      const telling = { type: event.type, local: activityInfo().isLocal, nth };
      await tell?.({ ...telling, after: false });
      buildEventData[event.type].parse(event.data);
      const standing = append(event);
      await tell?.({ ...telling, after: true });
      return { data: standing.data };
    },
  };
  let readings = 0;
  const rows = async () => {
    readings += 1;
    readRecord?.(readings);
    return [rowOfBuild(build!, { seq: events.length, hash: '' })];
  };
  return {
    port,
    /** What somebody else tells. */
    append,
    /** Answers every query with the build; nobody else claims a request. */
    db: (async ([query]: TemplateStringsArray) =>
      query?.includes('FROM builds') ? rows() : [{ key: 'claimed' }]) as unknown as Db,
    events,
    build: () => build!,
    types: () => events.map(({ type }) => type),
    /** Data of the events of one type. */
    told<Type extends BuildEventType>(type: Type) {
      type Data = Extract<BuildEvent, { type: Type }>['data'];
      return events
        .filter((event) => event.type === type)
        .map((event) => ({ ...(event.data as Data), at: Date.parse(event.occurred_at) }));
    },
  };
}

/** A GitHub that has no sockets, for which virtual time would not wait, and answers as the script says. */
function scriptedGitHub(
  script: Script,
  calls: Call[],
  record: ReturnType<typeof memoryRecord>,
  pass: (ms: number) => Promise<void>,
): Forge {
  const {
    dispatch = [accepted],
    find = [absent],
    run = ordinary,
    rerun = [{ kind: 'done', request_id: null }],
  } = script;
  /** Notes the call; answers with its number among those of its name, from 0. */
  const note = (name: Call['name'], about: Omit<Call, 'name' | 'at' | 'attempt'>): number => {
    const { currentAttemptScheduledTimestampMs: at, attempt } = activityInfo();
    calls.push({ name, at, attempt, ...about });
    return calls.filter((call) => call.name === name).length - 1;
  };
  /** The run at the time of the last call. */
  const viewOf = (run_id: number): RunView => {
    const now = calls.at(-1)!.at;
    const cancelled = calls.find((call) => call.name === 'cancel' && call.run_id === run_id && call.done);
    const begun = record.told('workflow_triggered')[0]?.at ?? now;
    const reruns = calls.filter((call) => call.name === 'rerun' && call.done).length;
    const run_attempt = 1 + reruns + (script.runAgain?.() ?? 0);
    const isOver = script.resume !== undefined && run_attempt === 1;
    const state = isOver
      ? { status: 'completed', conclusion: 'failure' }
      : run(now - begun, cancelled ? now - cancelled.at : null, run_attempt);
    return { run_id, run_url: urlOf(run_id), run_attempt, request_id: null, conclusion: null, ...state };
  };
  const github: Asked = {
    reserveWrite: async () => script.writeSlotInMs ?? 0,
    async dispatch(_request, correlation) {
      const nth = note('dispatch', { token: correlation?.token });
      const outcome = dispatch[nth] ?? dispatch.at(-1)!;
      if (outcome !== 'worker lost') return outcome;
      // The answer comes after the activity's time-out, as from a worker that was cut off.
      await pass(MINUTE);
      return accepted;
    },
    async find(_repository, { tokens, since }) {
      const finding = find[note('find', { tokens, since })] ?? find.at(-1)!;
      if (finding instanceof ForgeError) throw finding;
      return finding;
    },
    async changed(_repository, run_id, seen, lookAgainMs) {
      note('changed', { run_id });
      const view = viewOf(run_id);
      return view.status === seen.status && view.run_attempt === seen.run_attempt
        ? { lookAgainMs, asked: true }
        : { view };
    },
    async read(_repository, run_id) {
      note('read', { run_id });
      if (script.deleted) throw new ForgeError('GitHub answered 404: Not Found', 404);
      if (script.unreadable) throw new ForgeError('GitHub answered 502: Bad gateway', 502);
      return viewOf(run_id);
    },
    async rerun(_repository, run_id) {
      const nth = note('rerun', { run_id });
      const outcome = rerun[nth] ?? rerun.at(-1)!;
      calls.at(-1)!.done = outcome.kind === 'done';
      return outcome;
    },
    sees: async () => true,
    async failedJobs(_repository, run_id) {
      note('failedJobs', { run_id });
      if (script.failedJobs === 'away') throw new ForgeError('GitHub answered 502: Bad gateway', 502);
      return script.failedJobs ?? [];
    },
    async cancel(_repository, run_id) {
      const nth = note('cancel', { run_id });
      const answer = script.cancel?.[nth] ?? script.cancel?.at(-1) ?? true;
      if (answer instanceof ForgeError) throw answer;
      calls.at(-1)!.done = true;
      return answer;
    },
  };
  return { reserveWrite: github.reserveWrite, writes: github, runs: github } as unknown as Forge;
}

/** Activities with their errors turned into Temporal's, as `createActivities` does it. */
function failing<Activities extends object>(activities: Activities): Activities {
  const turned = Object.entries(activities).map(([name, run]) => [
    name,
    async (request: unknown) => {
      try {
        return await run(request);
      } catch (error) {
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(turned) as Activities;
}
