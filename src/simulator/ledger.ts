import { type RequestKind, requestKinds } from './faults.ts';
import type { Journal } from './journal.ts';
import { applyFact, type NewRun, planFor, type Run, type RunFact, type RunPlan, runAt } from './run.ts';
import type { Settings } from './settings.ts';

/** A request for a run. */
export interface RunRequest
  extends Pick<NewRun, 'repository' | 'workflow' | 'ref' | 'displayTitle' | 'event' | 'actor' | 'inputs' | 'token'> {
  /** Milliseconds since the epoch; default: now. */
  createdAt?: number | undefined;
}

/** Counts of what the simulator was asked and what it did. Tests rely on these instead of the word of the tested system. */
export interface Oracle {
  /** POSTs to a dispatch endpoint that arrived, carried out or not. With a journal, the count survives a restart. */
  dispatch_requests: number;
  /** Runs made by dispatches or by the controls; deleted ones count. */
  runs: number;
  /** Runs by the value of their correlation input. */
  runs_per_token: Record<string, number>;
  /** Requests that arrived since the start, by kind. */
  requests: Record<RequestKind, number>;
  /** How many of them got the response 304. */
  not_modified: number;
}

/** All runs ever, and the counters. Each change is written to the journal before it is made. */
export interface Ledger {
  create(request: RunRequest): Run;
  cancel(run: Run, takesMs: number): void;
  rerun(run: Run): void;
  force(run: Run, status: string, conclusion: string | null): void;
  remove(run: Run): void;
  get(id: number): Run | undefined;
  /** Returns all runs, newest first, deleted ones too. */
  all(): Run[];
  countRequest(kind: RequestKind): void;
  /** Returns the last requests that arrived since the start, oldest first. */
  lastRequests(): { at: number; kind: RequestKind }[];
  countNotModified(): void;
  oracle(): Oracle;
}

/** How many of the last requests are remembered with their times. */
const REMEMBERED_REQUESTS = 5_000;

/**
 * @param onChange called after each change of a run
 * @param firstId returns the smallest id for a run that is made now
 */
export function openLedger(
  journal: Journal,
  settings: () => Settings,
  onChange: (run: Run) => void,
  firstId = () => 10_000_000_000 + Math.floor(Date.now() / 100),
): Ledger {
  const runs = new Map<number, Run>();
  const requests = Object.fromEntries(requestKinds.map((kind) => [kind, 0])) as Record<RequestKind, number>;
  const lastRequests: { at: number; kind: RequestKind }[] = [];
  let dispatchRequests = 0;
  let notModified = 0;
  let lastId = 0;

  function apply(fact: RunFact): Run {
    const run = applyFact(fact.fact === 'created' ? undefined : runs.get(fact.id), fact);
    runs.set(run.id, run);
    lastId = Math.max(lastId, run.id);
    return run;
  }
  function record(fact: RunFact): Run {
    journal.append(fact);
    const run = apply(fact);
    onChange(run);
    return run;
  }
  for (const entry of journal.entries) {
    if (entry.fact === 'dispatch_requested') dispatchRequests += 1;
    else apply(entry);
  }

  const sameGroup = (one: Run, other: Pick<Run, 'repository' | 'workflow' | 'ref'>) =>
    one.repository.toLowerCase() === other.repository.toLowerCase() &&
    one.workflow === other.workflow &&
    one.ref === other.ref;

  return {
    create({ createdAt, ...request }) {
      const at = createdAt ?? Date.now();
      const earlier = [...runs.values()];
      if (settings().concurrency === 'cancel-in-progress') {
        for (const run of earlier) {
          const state = runAt(run, at);
          if (sameGroup(run, request) && state !== undefined && state.status !== 'completed') {
            record({ fact: 'cancelled', id: run.id, at, effectiveAt: at });
          }
        }
      }
      const ofWorkflow = earlier.filter(
        (run) => run.repository === request.repository && run.workflow === request.workflow,
      );
      return record({
        fact: 'created',
        at,
        // Ids grow with time as well as by one, so that a simulator without a journal does not use an id twice.
        run: {
          ...request,
          id: Math.max(lastId + 1, firstId()),
          runNumber: ofWorkflow.length + 1,
        },
        plan: planFor(basePlan(settings()), request.inputs.simulate, 1),
      });
    },
    cancel(run, takesMs) {
      const at = Date.now();
      record({ fact: 'cancelled', id: run.id, at, effectiveAt: at + takesMs });
    },
    rerun(run) {
      const plan = planFor(basePlan(settings()), run.inputs.simulate, run.attempts.length + 1);
      record({ fact: 'rerun', id: run.id, at: Date.now(), plan });
    },
    force(run, status, conclusion) {
      record({ fact: 'forced', id: run.id, at: Date.now(), status, conclusion });
    },
    remove(run) {
      record({ fact: 'deleted', id: run.id, at: Date.now() });
    },
    get: (id) => runs.get(id),
    all: () => [...runs.values()].sort((a, b) => b.createdAt - a.createdAt || b.id - a.id),
    countRequest(kind) {
      requests[kind] += 1;
      lastRequests.push({ at: Date.now(), kind });
      if (lastRequests.length > 2 * REMEMBERED_REQUESTS) lastRequests.splice(0, REMEMBERED_REQUESTS);
      if (kind !== 'dispatch') return;
      dispatchRequests += 1;
      journal.append({ fact: 'dispatch_requested', at: Date.now() });
    },
    lastRequests: () => lastRequests.slice(-REMEMBERED_REQUESTS),
    countNotModified() {
      notModified += 1;
    },
    oracle() {
      const perToken = new Map<string, number>();
      for (const { token } of runs.values()) {
        if (token !== null) perToken.set(token, (perToken.get(token) ?? 0) + 1);
      }
      return {
        dispatch_requests: dispatchRequests,
        runs: runs.size,
        runs_per_token: Object.fromEntries(perToken),
        requests: { ...requests },
        not_modified: notModified,
      };
    },
  };
}

function basePlan(settings: Settings): RunPlan {
  return {
    queuedForMs: settings.queued_for_ms,
    runningForMs: settings.running_for_ms,
    conclusion: settings.conclusion,
  };
}
