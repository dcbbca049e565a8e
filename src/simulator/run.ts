/**
 * One run of a workflow, as pure functions of facts and a time. Only facts are kept (and journaled), and the state of a run at any moment
 * follows from them. So after a kill, a simulator restarts with every run exactly where it should be.
 */

/** How an attempt proceeds if nobody intervenes. */
export interface RunPlan {
  /** Milliseconds spent `queued`; null: forever. */
  queuedForMs: number | null;
  /** Milliseconds spent `in_progress`; null: forever. */
  runningForMs: number | null;
  /** GitHub's word for the end: success, failure, timed_out, startup_failure, ... */
  conclusion: string;
}

/** The properties that a run is created with. Times are in milliseconds since the epoch. */
export interface NewRun {
  id: number;
  /** `owner/name`. */
  repository: string;
  /** File name of the workflow. */
  workflow: string;
  /** Branch or tag, without `refs/heads/` or `refs/tags/`. */
  ref: string;
  /** The evaluated `run-name`. */
  displayTitle: string;
  event: string;
  actor: string;
  /** Counts the runs of one workflow, from 1. */
  runNumber: number;
  inputs: Record<string, string>;
  /** Value of the correlation input, whether declared, echoed or not; null if it was not sent. */
  token: string | null;
}

/** Something that happened to a run. `at` is in milliseconds since the epoch. */
export type RunFact =
  | { fact: 'created'; at: number; run: NewRun; plan: RunPlan }
  | { fact: 'cancelled'; id: number; at: number; effectiveAt: number }
  | { fact: 'rerun'; id: number; at: number; plan: RunPlan }
  | { fact: 'forced'; id: number; at: number; status: string; conclusion: string | null }
  | { fact: 'deleted'; id: number; at: number };

/** A run with everything that happened to it. */
export interface Run extends NewRun {
  createdAt: number;
  deletedAt: number | null;
  attempts: Attempt[];
}

interface Attempt {
  startedAt: number;
  plan: RunPlan;
  interventions: Intervention[];
}

interface Intervention {
  at: number;
  status: string;
  conclusion: string | null;
  /** True for a cancellation, which has no effect on a completed run. A forced state always has an effect. */
  onlyIfOpen: boolean;
}

/** The state that a run entered at a time. */
export interface Moment {
  at: number;
  attempt: number;
  attemptStartedAt: number;
  status: string;
  conclusion: string | null;
}

/** Returns the run after a fact. It changes the run in place; a `created` fact makes a new one. */
export function applyFact(run: Run | undefined, fact: RunFact): Run {
  if (fact.fact === 'created') {
    return {
      ...fact.run,
      createdAt: fact.at,
      deletedAt: null,
      attempts: [{ startedAt: fact.at, plan: fact.plan, interventions: [] }],
    };
  }
  const attempt = run?.attempts.at(-1);
  if (run === undefined || attempt === undefined) throw new Error(`${fact.fact}: run ${fact.id} was never created`);
  switch (fact.fact) {
    case 'cancelled':
      attempt.interventions.push({
        at: fact.effectiveAt,
        status: 'completed',
        conclusion: 'cancelled',
        onlyIfOpen: true,
      });
      return run;
    case 'forced':
      attempt.interventions.push({
        at: fact.at,
        status: fact.status,
        conclusion: fact.conclusion,
        onlyIfOpen: false,
      });
      return run;
    case 'rerun':
      run.attempts.push({ startedAt: fact.at, plan: fact.plan, interventions: [] });
      return run;
    case 'deleted':
      run.deletedAt = fact.at;
      return run;
    default: {
      const never: never = fact;
      throw new Error(`unknown fact ${JSON.stringify(never)}`);
    }
  }
}

/** Returns every state of the run, past and (as far as it is known now) future, oldest first. */
export function timeline(run: Run): Moment[] {
  const moments: Moment[] = [];
  run.attempts.forEach((attempt, index) => {
    const base = { attempt: index + 1, attemptStartedAt: attempt.startedAt };
    const nextAttemptAt = run.attempts[index + 1]?.startedAt ?? Number.POSITIVE_INFINITY;
    let own = planned(attempt).map((moment) => ({ ...base, ...moment }));
    for (const change of attempt.interventions) {
      const before = own.filter((moment) => moment.at < change.at || moment.at === attempt.startedAt);
      if (change.onlyIfOpen && before.at(-1)?.status === 'completed') continue;
      own = [...before, { ...base, at: change.at, status: change.status, conclusion: change.conclusion }];
    }
    moments.push(...own.filter((moment) => moment.at <= nextAttemptAt));
  });
  return moments;
}

/** Returns the state at a time; undefined before the run was created and after it was deleted. */
export function runAt(run: Run, now: number): Moment | undefined {
  if (run.deletedAt !== null && run.deletedAt <= now) return undefined;
  return timeline(run).findLast((moment) => moment.at <= now);
}

function planned({ startedAt, plan }: Attempt): Pick<Moment, 'at' | 'status' | 'conclusion'>[] {
  const moments: Pick<Moment, 'at' | 'status' | 'conclusion'>[] = [
    { at: startedAt, status: 'queued', conclusion: null },
  ];
  if (plan.queuedForMs === null) return moments;
  const leavesQueueAt = startedAt + plan.queuedForMs;
  // An invalid workflow file never starts a job: GitHub goes from queued to completed.
  if (plan.conclusion === 'startup_failure') {
    return [...moments, { at: leavesQueueAt, status: 'completed', conclusion: plan.conclusion }];
  }
  moments.push({ at: leavesQueueAt, status: 'in_progress', conclusion: null });
  if (plan.runningForMs === null) return moments;
  moments.push({ at: leavesQueueAt + plan.runningForMs, status: 'completed', conclusion: plan.conclusion });
  return moments;
}

/**
 * Returns the plan of an attempt: the plan in the settings, changed by the run's input `simulate`. With it, people who try the system can
 * request a failure without touching the simulator.
 *
 * @param wish success, failure, ... (any conclusion), `slow` (ten times as long), `stuck` (never completes), `queued`
 *   (never starts), `flaky` (the first attempt fails, later ones succeed)
 */
export function planFor(base: RunPlan, wish: string | undefined, attempt: number): RunPlan {
  switch (wish) {
    case undefined:
    case '':
    case LOST_ANSWER:
      return base;
    case 'slow':
      return { ...base, runningForMs: base.runningForMs === null ? null : base.runningForMs * 10 };
    case 'stuck':
      return { ...base, runningForMs: null };
    case 'queued':
      return { ...base, queuedForMs: null };
    case 'flaky':
      return { ...base, conclusion: attempt === 1 ? 'failure' : 'success' };
    default:
      return { ...base, conclusion: wish };
  }
}

/** The value of `simulate` for a dispatch that is carried out while its response is lost (502). */
export const LOST_ANSWER = 'lost_answer';
