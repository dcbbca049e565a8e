import type { BuildPolicy } from '../../src/contracts/builds/build-workflow.ts';
import type { RecordedEvent } from '../../src/contracts/builds/event.ts';
import { type Moment, timeline } from '../../src/simulator/run.ts';
import type { Seen } from './github.ts';
import type { Installation } from './installation.ts';
import { faultsOfLog, type LogRow, lastStatus } from './log-check.ts';
import { isReconciled, type Loss } from './losses.ts';

const BEGINNINGS = ['build_queued', 'build_retried', 'build_reopened'];

/** Results of workflows that left the build to another. */
const SAYS_NOTHING = ['superseded', 'not_run_again'];

/** Looks at every POST for a run at the moment it arrives. */
export class Watch {
  readonly violations: string[] = [];
  readonly #installation: Installation;
  readonly #isHonest: boolean;
  readonly #policy: BuildPolicy;
  #meddled = false;

  /** @param isHonest listings show within the window what is there, and runs can be told apart */
  constructor(installation: Installation, { isHonest, policy }: { isHonest: boolean; policy: BuildPolicy }) {
    this.#installation = installation;
    this.#isHonest = isHonest;
    this.#policy = policy;
    const { seen } = installation.github;
    const push = seen.push.bind(seen);
    seen.push = (...requests) => {
      for (const request of requests) if (request.kind === 'dispatch') this.#posted(request);
      return push(...requests);
    };
  }

  /** Others took a hand in the build's runs, so their number says nothing any more. */
  meddled(): void {
    this.#meddled = true;
  }

  get isHonest(): boolean {
    return this.#isHonest && !this.#meddled;
  }

  #posted(post: Seen): void {
    const { record, github, temporal, losses } = this.#installation;
    const open = [...record.builds.values()].filter(
      ({ workflow_id, completed_at }) => workflow_id === post.workflowId && completed_at === null,
    );
    // No workflow sends a direct dispatch.
    const id = (temporal.executions.find(({ runId }) => runId === post.runId)?.memo.build_id ?? open[0]?.id) as number;
    const events = this.#eventsOf(id);
    // A record that was set back may not know yet which of two builds has ended.
    const isAlone = losses.some(({ events }) => events.length > 0) || (open.length === 1 && open[0]!.id === id);
    if (events.length === 0 || !isAlone) {
      this.#say(`a POST with ${open.length} open builds`, post);
      return;
    }
    // The present cycle: a retry is a beginning of its own.
    const begin = events.findLastIndex(({ type }) => BEGINNINGS.includes(type));
    const cycle = events.slice(begin);
    const intents = cycle.filter(({ type }) => type === 'dispatch_intended');
    const intent = intents.at(-1);
    if (post.token && intent?.data.token !== post.token) {
      this.#say(`a POST whose intent is not the last in the record (${intent?.data.token})`, post);
    }
    if (cycle.some(({ type }) => type === 'cancel_requested'))
      this.#say('a POST after the cancellation was recorded', post);

    const since = Date.parse(cycle[0]!.recorded_at);
    const before = github.seen.filter(
      ({ kind, workflowId, at }) => kind === 'dispatch' && workflowId === post.workflowId && at >= since,
    );
    for (const [index, earlier] of before.entries()) {
      if (earlier.context === post.context) {
        // The same activity may send again only what was refused.
        if (earlier.carriedOut || earlier.answered === undefined) this.#say('sent again within one attempt', post);
      } else if (!this.#isSettled(earlier, before[index + 1] ?? post, cycle)) {
        this.#say(`a POST while that of ${earlier.token} is unsettled`, post);
      }
    }
    const live = github.runsOf(id).filter((run) => github.isLive(run));
    if (this.isHonest && live.length > 0) this.#say(`a POST while run ${live[0]!.id} lives`, post);
  }

  /** The events of a build, also those that the record lost and that its workflow has yet to tell again. */
  #eventsOf(id: number): RecordedEvent[] {
    const { record, losses } = this.#installation;
    const standing = record.streams.get(`build:${id}`) ?? [];
    const told = new Set(standing.map(({ dedupe_key }) => dedupe_key));
    const lost = losses.flatMap(({ events }) => events).filter(({ stream }) => stream === `build:${id}`);
    return [...standing, ...lost.filter(({ dedupe_key }) => !told.has(dedupe_key))].sort(
      (a, b) => Date.parse(a.occurred_at) - Date.parse(b.occurred_at),
    );
  }

  /** Nothing was sent, or nothing was done, or reading found nothing for a whole window, or somebody took it on. */
  #isSettled(post: Seen, next: Seen, cycle: readonly RecordedEvent[]): boolean {
    const { answered } = post;
    if (answered !== undefined && answered >= 400 && answered < 500) return true;
    const { github, losses } = this.#installation;
    const { seen } = github;
    const readings = seen.filter(
      ({ kind, activity, workflowId, at, titles }) =>
        kind === 'list' &&
        activity === 'findRuns' &&
        workflowId === post.workflowId &&
        titles &&
        at > post.at &&
        at <= next.at,
    );
    const complete = readings.filter(({ at }) => at - post.at >= this.#policy.reconcile_window_ms);
    const windowPassed = readings.length >= 3 && complete.length > 0;
    // What was found before a loss may be forgotten, and the run deleted since.
    const rememberedSince = losses.findLast(({ at }) => at <= next.at)?.at ?? 0;
    const found =
      post.token !== undefined &&
      readings.some(({ at, titles }) => at > rememberedSince && titles!.some((title) => title.includes(post.token!)));
    // What GitHub said that it took is not given up for being nowhere to be seen; a run after a reset did not hear it.
    const isTaken = answered !== undefined && answered < 300 && post.runId === next.runId;
    if (windowPassed && !found && !isTaken) return true;
    return cycle.some(
      ({ type, recorded_at }) => type === 'build_needs_attention' && Date.parse(recorded_at) >= post.at,
    );
  }

  #say(what: string, post: Seen): void {
    this.violations.push(
      `${what}: ${post.workflowId.slice(0, 14)} at ${new Date(post.at).toISOString()} with ${post.token}`,
    );
  }
}

/** A request for a build that was answered with its id. */
export interface Accepted {
  id: number;
  ref: string;
  key: string | undefined;
}

/** A run of the workflow that leads a build; `how` in the words of Temporal's commands. */
export interface Leading {
  runId: string;
  closed: { how: string; result?: unknown } | undefined;
}

/** A run at GitHub that carries a token of a build: every state that it was in. */
export interface RunHistory {
  id: number;
  moments: readonly Pick<Moment, 'at' | 'attempt' | 'status' | 'conclusion'>[];
  isLive: boolean;
}

/** What must hold once all is over, or should be. */
export function checkEnd(
  installation: Installation,
  accepted: ReadonlyArray<Accepted & { at: number }>,
  { isOver, isHonest }: { isOver: boolean; isHonest: boolean },
): string[] {
  const { record, temporal, github, losses } = installation;
  const violations = faultsOfLog([...record.streams.values()].flat() as LogRow[]);
  const isGone = ({ id, at }: Accepted & { at: number }) => losses.some((loss) => loss.at >= at && !loss.known.has(id));
  violations.push(
    ...faultsOfAccepted(
      accepted.filter((one) => !isGone(one)),
      [...record.builds.keys()],
    ),
    // What was said of an earlier one may have been lost with a later one.
    ...losses.slice(-1).flatMap((loss) => faultsOfLoss(loss, record.streams)),
    ...(isReconciled(installation) ? [] : [`${record.installation.unresolved} differences are left`]),
  );
  violations.push(...faultsOfShadows(installation));
  const forgot = losses.findLast(({ kind }) => kind !== 'record set back')?.at ?? 0;
  const runs = github.ledger.all().map((run) => ({
    id: run.id,
    moments: timeline(run),
    isLive: isHonest && github.isLive(run),
    token: run.token,
  }));
  for (const build of record.builds.values()) {
    const events = record.streams.get(`build:${build.id}`)!;
    const leading = temporal.executions
      .filter(({ workflowId }) => workflowId === build.workflow_id)
      // After a loss a workflow may find that its build has ended: that was judged when it failed.
      .filter(({ closed }) => losses.length === 0 || closed?.how !== 'failWorkflowExecution')
      // What Temporal has forgotten says nothing.
      .filter(({ closed }) => !closed || closed.at >= forgot);
    const own = runs.filter(({ token }) => token?.startsWith(`hapax-${build.id}-`));
    violations.push(
      ...faultsOfBuild(build, events, leading, {
        own,
        all: runs,
        isOver,
        isForgotten: forgot > 0,
        wasShown: github.seen.some(
          ({ kind, workflowId, at, titles }) =>
            kind === 'list' &&
            workflowId === build.workflow_id &&
            at >= Date.parse(build.completed_at ?? '') &&
            titles?.some((title) => title.includes(`hapax-${build.id}-`)),
        ),
      }),
    );
  }
  return violations;
}

/** Of builds whose dispatches another program sends, nothing is ever sent, and no two have the same run. */
function faultsOfShadows({ record, github, losses }: Installation): string[] {
  const shadows = [...record.builds.values()].filter(({ request }) => request.shadow);
  const workflows = new Set(shadows.map(({ workflow_id }) => workflow_id));
  const sent = github.seen.filter(({ kind, workflowId }) => WRITES.includes(kind) && workflows.has(workflowId));
  const runs = shadows.flatMap(({ workflow_run_id }) => workflow_run_id ?? []);
  const shared = runs.find((id, index) => runs.indexOf(id) !== index);
  const isLost = losses.some(({ events }) => events.length > 0);
  return [
    ...sent.map(({ kind, workflowId }) => `a ${kind} for a build of another program: ${workflowId.slice(0, 14)}`),
    ...(shared === undefined || isLost ? [] : [`run ${shared} is of two builds`]),
  ];
}

const WRITES = ['dispatch', 'cancel', 'rerun'];

/** Events that somebody else tells, or that nobody tells again. */
const TOLD_BY_OTHERS = ['build_queued', 'build_retried', 'dead_letter_discarded'];

/** In the reason of an ambiguous dispatch. */
const MAY_BE_LOST = 'or the record has lost what it did';

/** What a loss struck is mended, and an event says so. */
function faultsOfLoss(
  { at, kind, unled, events, unheard }: Loss,
  streams: ReadonlyMap<string, RecordedEvent[]>,
): string[] {
  const faults: string[] = [];
  const isSaid = (stream: string) =>
    (streams.get(stream) ?? []).some(
      // Where an operator cancels it first, that ends it. A workflow that had not heard of its direct dispatch cannot know more.
      ({ type, dedupe_key, recorded_at, data }) =>
        Date.parse(recorded_at) >= at &&
        (type === 'build_recovered' || dedupe_key.startsWith('gone:') || String(data.reason).includes(MAY_BE_LOST)),
    );
  for (const id of unled)
    if (!isSaid(`build:${id}`)) faults.push(`build ${id}: nothing says that it was struck: ${kind}`);
  const lost = Map.groupBy(
    events.filter((event) => !TOLD_BY_OTHERS.includes(event.type) && !unheard.has(event)),
    ({ stream }) => stream,
  );
  for (const [stream, of] of lost) {
    // The last may not have been heard of yet; then it is told as if for the first time.
    if (of.length > 1 && !isSaid(stream)) faults.push(`${stream}: nothing says that ${of.length} events were lost`);
  }
  return faults;
}

/** Every accepted request has its build, and an `Idempotency-Key` one only. */
export function faultsOfAccepted(accepted: readonly Accepted[], recorded: readonly number[]): string[] {
  const faults = accepted
    .filter(({ id }) => !recorded.includes(id))
    .map(({ id }) => `build ${id} was accepted and is not in the record`);
  for (const { ref, key } of accepted) {
    const ids = new Set(
      accepted.filter((other) => key !== undefined && other.key === key && other.ref === ref).map(({ id }) => id),
    );
    if (ids.size > 1) faults.push(`the Idempotency-Key ${key} has several builds: ${[...ids]}`);
  }
  return faults;
}

/** Begins the detail of such an end. GitHub may not answer for longer than anybody looks for a run of the build. */
const CANCELLED_IN_DOUBT = 'cancelled while it needed attention';

/** What is wrong with one build: its record, its workflow and its runs at GitHub must tell the same. */
export function faultsOfBuild(
  build: { id: number; status: string; completed_at: string | null },
  events: readonly RecordedEvent[],
  leading: readonly Leading[],
  {
    own,
    all,
    isOver,
    isForgotten = false,
    wasShown = true,
  }: {
    own: readonly RunHistory[];
    all: readonly RunHistory[];
    isOver: boolean;
    isForgotten?: boolean;
    /** Whether GitHub has shown a run of the build to its workflow since the build ended. */
    wasShown?: boolean;
  },
): string[] {
  const name = `build ${build.id}`;
  const faults: string[] = [];
  const say = (text: string) => faults.push(`${name}${text}`);
  if (!isOver && build.completed_at === null) say(` does not end: ${events.at(-1)?.type}`);
  if (lastStatus(events as readonly LogRow[]) !== build.status)
    say(` is ${build.status}, its events end in another status`);
  for (const { closed, runId } of leading) {
    if (!isOver && !closed) say(`: workflow run ${runId} does not end`);
    if (closed && closed.how !== 'completeWorkflowExecution' && closed.how !== 'terminated') {
      say(`: workflow run ${runId} ended with ${closed.how}`);
    }
  }
  const results = leading.map(({ closed }) => closed?.result as { build_id: number; status: string } | undefined);
  const said = results.findLast((result) => result?.build_id === build.id && !SAYS_NOTHING.includes(result.status));
  // A build with direct dispatches may be cancelled before it has a workflow; then nothing was sent.
  const isUnled =
    !events.some(({ type }) => type === 'build_started') ||
    // Or its workflow could not start, because an equal request has one, of a build that the record had lost.
    events.some(({ data }) => data.conclusion === 'workflow_lost');
  const isUnsaid = (isForgotten || isUnled) && said === undefined;
  if (isOver && !isUnsaid && said?.status !== build.status)
    say(` is ${build.status}, its workflow says ${said?.status}`);
  const triggered = events.filter(({ type }) => type === 'workflow_triggered').map(({ data }) => data.workflow_run_id);
  // GitHub has taken its cancellation, and may need longer for it than the schedule goes on.
  const stopped = events.filter(({ type }) => type === 'late_run_cancelled').map(({ data }) => data.workflow_run_id);
  const stray = own.find(({ id, isLive }) => isLive && !triggered.includes(id) && !stopped.includes(id));
  const isSaidToBeInDoubt = events.some(({ data }) => String(data.detail).startsWith(CANCELLED_IN_DOUBT));
  if (stray && (wasShown || !isSaidToBeInDoubt)) say(`: run ${stray.id} lives, and nobody follows it`);
  const cycles = cyclesOf(events);
  for (const cycle of cycles) faults.push(...faultsOfCycle(name, cycle, all));
  const earlier = new Set<unknown>();
  for (const { data } of cycles.flatMap(triggeredIn)) {
    // An operator may say so.
    const isAgain = earlier.has(data.workflow_run_id) && data.learned_from !== 'operator';
    if (isAgain) say(` took run ${data.workflow_run_id} of a dispatch before its retry`);
    earlier.add(data.workflow_run_id);
  }
  return faults;
}

function triggeredIn(cycle: readonly RecordedEvent[]): RecordedEvent[] {
  return cycle.filter(({ type }) => type === 'workflow_triggered');
}

/** The events from each beginning of a build to the next. */
function cyclesOf(events: readonly RecordedEvent[]): RecordedEvent[][] {
  const cycles: RecordedEvent[][] = [];
  for (const event of events) {
    if (BEGINNINGS.includes(event.type)) cycles.push([]);
    cycles.at(-1)?.push(event);
  }
  return cycles;
}

function faultsOfCycle(name: string, cycle: readonly RecordedEvent[], runs: readonly RunHistory[]): string[] {
  const faults: string[] = [];
  const of = (...types: string[]) => cycle.filter(({ type }) => types.includes(type));
  const ends = of('build_completed', 'build_cancelled');
  if (ends.length > 1) faults.push(`${name} ended ${ends.length} times`);
  const triggered = triggeredIn(cycle);
  if (triggered.length > 1) faults.push(`${name} has ${triggered.length} runs in one cycle`);
  const [end] = ends;
  if (!end || !['poll', 'webhook'].includes(String(end.data.learned_from))) return faults;
  const run = runs.find(
    ({ id }) => id === cycle.find(({ type }) => type === 'workflow_triggered')?.data.workflow_run_id,
  );
  if (!run || end.data.conclusion === 'run_deleted') return faults;
  const reached = run.moments.some(
    ({ at, attempt, status, conclusion }) =>
      status === 'completed' &&
      conclusion === end.data.conclusion &&
      attempt === end.data.run_attempt &&
      // Not when it occurred: a workflow dates what it reads within a task by the beginning of that task.
      at <= Date.parse(end.recorded_at),
  );
  if (!reached) faults.push(`${name} ended as ${end.data.conclusion}, which its run ${run.id} never was by then`);
  return faults;
}
