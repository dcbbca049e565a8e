import { WorkflowFailedError, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { TELL_AGAIN_SIGNAL } from '../../contracts/builds/build-workflow.ts';
import { type Ending, findEndings, listOpen } from '../../store/endings/ending-list.ts';
import { adoptInstallation } from '../../store/installation/installation-adopt.ts';
import type { Installation } from '../../store/installation/installation-find.ts';
import { saveReconciliation } from '../../store/installation/reconciliation-save.ts';
import { findStream } from '../../store/record/stream-find.ts';
import type { ListRuns } from '../builds/compare-shadow.ts';
import type { OperateDependencies } from '../builds/operate-build.ts';
import {
  type Execution,
  executionOf,
  findExecution,
  isEndOfEarlierLife,
  isLedElsewhere,
  isStillOpen,
  isTerminal,
  listClosedExecutions,
  listExecutionsOfBuild,
  listOpenExecutions,
  subjectOf,
} from '../lifecycle/executions.ts';
import type { KnownInstallation } from '../lifecycle/installation.ts';
import type { TaskDependencies } from '../tasks/create-task.ts';
import { beginLostEndings, startLostSubscriptions } from './lost-endings.ts';
import { compareForges } from './lost-retries.ts';
import { endAs, type Recoverable, restore, resume } from './recover.ts';
import { RECOVERABLE_BUILD } from './recover-build.ts';
import { RECOVERABLE_TASK } from './recover-task.ts';
import { compareSchedules } from './schedules.ts';

/** What it takes to start a workflow in place of a lost one. */
export type RecoverDependencies = OperateDependencies &
  Pick<TaskDependencies, 'taskPolicy' | 'taskTypes' | 'log'> & {
    /** The present epoch of the installation. */
    epoch: number;
  };

export type ReconcileDependencies = RecoverDependencies & { installation: KnownInstallation };

/** What was done about one build, task or schedule. */
export type Outcome =
  /** Record and Temporal agree after all. */
  | 'agrees'
  /** Another workflow continues it. */
  | 'resumed'
  /** Its end is now on record, as Temporal knew it. */
  | 'ended'
  /** It ended without a result and waits for a decision. */
  | 'dead_lettered'
  /** Its workflow records the lost events again. */
  | 'told_again'
  /** The record has it again, with its end. */
  | 'restored'
  /** Temporal now has it as the record says. */
  | 'applied'
  /** The record now has what Temporal knew, or that times were missed. */
  | 'recorded'
  /** Nothing could be done. */
  | 'unknown';

/** One build, task or schedule about which record and Temporal disagree. */
export interface Difference {
  /** `build:12`, `task:<id>`, `schedule:<name>` */
  subject: string;
  found:
    | 'workflow_lost'
    | 'workflow_ended'
    | 'record_set_back'
    | 'callback_lost'
    | 'reply_lost'
    | 'subscription_lost'
    | 'retry_lost'
    | 'schedule_lost'
    | 'schedule_differs'
    | 'times_missed';
  /** Undefined in a dry run, which does nothing. */
  outcome?: Outcome;
  /** Why it could not be repaired. */
  error?: string;
}

/** How the workflow of a build or task ended. */
export interface Ended {
  /** Temporal's name for its state. */
  state: string;
  /** The result, if it completed. */
  result?: unknown;
  /** Set if it completed without running its task, because another workflow did. */
  ledElsewhere?: boolean;
  /** If it did not complete: the type and the message of its failure, or who terminated it and why. */
  type?: string;
  reason?: string;
}

export interface ReconcileOptions {
  /** Whether only to look. */
  dryRun: boolean;
  /** Stops the comparison between two differences. */
  signal?: AbortSignal;
  report?(difference: Difference): void;
  /** Lists runs, to find lost retries. Without it, none are found. */
  listRuns?: ListRuns | undefined;
  /** How long this process has compared, in milliseconds. */
  runningMs?: number;
  /** Called if another comparison must follow soon: what is missing now may only be late. */
  unsettled?(): void;
}

/** How to recover each kind of execution. */
const RECOVERABLE = { build: RECOVERABLE_BUILD, task: RECOVERABLE_TASK } as const;
type KindName = keyof typeof RECOVERABLE;

// biome-ignore lint/suspicious/noExplicitAny: what goes through both kinds knows the states and events of neither.
type AnyRecoverable = Recoverable<any, any, any>;
const recoverable = (kind: KindName): AnyRecoverable => RECOVERABLE[kind];

/** A workflow that began this recently may not be in the record yet. */
const SETTLING_MS = 10_000;

/** A direct dispatch is recorded before its workflow starts, which may take this long. */
export const DIRECT_SETTLING_MS = 20_000;

/** Workflows that closed this shortly before the last comparison are compared again: it may have missed them. */
const OVERLAP_MS = 3_600_000;

/** How many differences are repaired at once. */
const AT_ONCE = 8;

/**
 * Compares the open builds and tasks of the record with the workflows of Temporal, in both directions, and repairs each
 * difference: a build or task goes on, ends as Temporal knew it, or becomes a dead letter. An event says so. It is safe to
 * run at any time, even twice at once.
 * @returns every difference. @throws if the database or Temporal is away.
 */
export async function reconcile(
  given: Omit<ReconcileDependencies, 'epoch'>,
  options: ReconcileOptions,
): Promise<Difference[]> {
  const began_at = new Date().toISOString();
  const own = await given.installation.refresh();
  // If some stayed unresolved then, those may have ended at any time.
  const isSettled = own.reconciled_at !== null && own.unresolved === 0;
  const since = isSettled ? new Date(Date.parse(own.reconciled_at!) - OVERLAP_MS).toISOString() : null;
  const comparison = new Comparison({ ...given, epoch: own.epoch }, options, own.id);
  await comparison.readOpen();
  await comparison.compareOpenRows();
  await comparison.compareOpenWorkflows();
  await comparison.compareClosedWorkflows(since);
  await comparison.beginLostEndings();
  await comparison.compareSchedules();
  const reconciled_epoch = await comparison.compareForges(own);
  const { differences } = comparison;
  const unresolved = differences.filter(({ error, outcome }) => error !== undefined || outcome === 'unknown').length;
  if (!options.dryRun && !options.signal?.aborted) {
    await saveReconciliation(given.db, { began_at, differences: differences.length, unresolved, reconciled_epoch });
    await given.installation.refresh();
  }
  return differences;
}

class Comparison {
  readonly #deps: ReconcileDependencies;
  readonly #options: ReconcileOptions;
  #installation: string;
  readonly #open = new Map<string, Execution>();
  readonly differences: Difference[] = [];
  #foreign = 0;

  constructor(deps: ReconcileDependencies, options: ReconcileOptions, installation: string) {
    this.#deps = deps;
    this.#options = options;
    this.#installation = installation;
  }

  async readOpen(): Promise<void> {
    for await (const execution of listOpenExecutions(this.#deps.client)) {
      if (await this.#isOurs(execution)) this.#open.set(execution.workflow_id, execution);
    }
    if (this.#foreign > 0) {
      this.#deps.log.warn(
        { workflows: this.#foreign },
        'Temporal has workflows of another installation; give each installation a namespace of its own',
      );
    }
  }

  /** Compares the builds and tasks that are open in the record. */
  async compareOpenRows(): Promise<void> {
    for (const kind of ['build', 'task'] as const) {
      await this.#each(listOpen(this.#deps.db, recoverable(kind).stream), (row) => this.#compareOpenRow(kind, row));
    }
  }

  /** Compares the open workflows: the record may have lost their subjects, or their progress. */
  async compareOpenWorkflows(): Promise<void> {
    const settled = [...this.#open.values()].filter(
      ({ started_at }) => Date.now() - started_at.getTime() > SETTLING_MS,
    );
    await this.#compareEndings(settled, async (execution, row) => {
      const isEnded = row !== undefined && row.completed_at !== null;
      // A workflow may stay open for a while after its end. Then it has set its last status.
      const isWrong = isEnded
        ? !isTerminal(execution) || isEndOfEarlierLife(row, execution)
        : row && isTerminal(execution) && (await isStillOpen(this.#deps.client, execution));
      if (row && !isWrong) return;
      await this.#mend(subjectOf(execution), 'record_set_back', async () => {
        try {
          await this.#handle(execution).signal(TELL_AGAIN_SIGNAL);
          return 'told_again';
        } catch (error) {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
          return this.#restoreClosed(execution);
        }
      });
    });
  }

  /** Compares workflows that closed since a time. The record may have lost how they ended. */
  async compareClosedWorkflows(since: string | null): Promise<void> {
    const seen = new Set([...this.#open.values()].map(subjectOf));
    const batch: Execution[] = [];
    const compare = () =>
      this.#compareEndings(batch.splice(0), async (execution, row) => {
        const isEnded = row !== undefined && row.completed_at !== null;
        const isWrong = isEnded && (row.status !== execution.status || isEndOfEarlierLife(row, execution));
        if (row && !isWrong) return;
        await this.#mend(subjectOf(execution), 'record_set_back', () =>
          restore(this.#deps, recoverable(execution.kind), execution, () => this.#endedOf(execution)),
        );
      });
    for await (const execution of listClosedExecutions(this.#deps.client, since)) {
      // A build or task may have several workflows. The last one that brought it to an end says how it ended.
      if (!isTerminal(execution) || seen.has(subjectOf(execution)) || !(await this.#isOurs(execution))) continue;
      seen.add(subjectOf(execution));
      batch.push(execution);
      if (batch.length === 500) await compare();
    }
    await compare();
  }

  /** Runs last, so that the builds and tasks of schedules are in the record. */
  async compareSchedules(): Promise<void> {
    if (this.#options.signal?.aborted) return;
    await compareSchedules(this.#deps, {
      dryRun: this.#options.dryRun,
      isOurs: (memo) => this.#isOurs(memo),
      mend: (subject, found, mend) => this.#mend(subject, found, mend),
    });
  }

  /**
   * Starts callbacks, replies and subscriptions that Temporal has lost. A dry run cannot find them, because only a refused
   * start shows that Temporal still has one.
   */
  async beginLostEndings(): Promise<void> {
    if (this.#options.dryRun || this.#options.signal?.aborted) return;
    await beginLostEndings(this.#deps, (subject, found) => this.#note({ subject, found, outcome: 'resumed' }));
    await startLostSubscriptions(this.#deps, (subject) =>
      this.#note({ subject, found: 'subscription_lost', outcome: 'resumed' }),
    );
  }

  /** Runs after the other repairs: what they bring back is not lost. */
  compareForges(own: Installation): Promise<number> {
    return compareForges(this.#deps, own, { ...this.#options, mend: (...difference) => this.#mend(...difference) });
  }

  async #compareOpenRow(name: KindName, row: Ending): Promise<void> {
    const listed = this.#open.get(row.workflow_id);
    if (listed?.id === String(row.id)) return;
    const subject = `${name}:${row.id}`;
    const last = await this.#lastExecution(name, row);
    if (last?.state === 'RUNNING') return;
    const kind = recoverable(name);
    const [now] = await findEndings(this.#deps.db, kind.stream, [row.id]);
    // It ended during this comparison.
    if (!now || now.completed_at !== null) return;
    if (!last) {
      if (await this.#mayBeginDirectly(kind, now)) return this.#options.unsettled?.();
      const detail = 'Temporal had lost its workflow; Hapax started a new one';
      await this.#mend(subject, 'workflow_lost', () => resume(this.#deps, kind, row.id, detail));
      return;
    }
    await this.#mend(subject, 'workflow_ended', async () => endAs(this.#deps, kind, row.id, await this.#endedOf(last)));
  }

  /** Restores what the record lost about an execution that has closed since it was listed. What it knew may be older than the record. */
  async #restoreClosed(execution: Execution): Promise<Outcome> {
    const closed = executionOf(await this.#handle(execution).describe());
    if (closed.state === 'CONTINUED_AS_NEW') {
      await this.#deps.client.workflow.getHandle(closed.workflow_id).signal(TELL_AGAIN_SIGNAL);
      return 'told_again';
    }
    if (!isTerminal(closed)) return 'agrees';
    return restore(this.#deps, recoverable(closed.kind), closed, () => this.#endedOf(closed));
  }

  /** Says whether a request has just recorded a build, and is about to start its workflow. */
  async #mayBeginDirectly({ stream }: AnyRecoverable, { id, created_at }: Ending): Promise<boolean> {
    if (Date.now() - Date.parse(created_at) > DIRECT_SETTLING_MS) return false;
    const found = await findStream(this.#deps.db, stream, id);
    return found?.events[0]?.data.direct === true;
  }

  /** Finds the last execution for a build or task. */
  async #lastExecution(kind: KindName, row: Ending): Promise<Execution | undefined> {
    const { client } = this.#deps;
    const described = await findExecution(client, row.workflow_id);
    if (!described) return undefined;
    if (described.id === String(row.id)) return described;
    // The same request has been made again since, as another build with the same workflow id.
    if (kind === 'task') return undefined;
    const [last] = await listExecutionsOfBuild(client, Number(row.id));
    return last;
  }

  async #endedOf(execution: Execution): Promise<Ended> {
    const { workflow_id, run_id, state } = execution;
    try {
      const result = await this.#deps.client.workflow.result(workflow_id, run_id, { followRuns: false });
      return { state, result, ledElsewhere: isLedElsewhere(execution, result) };
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      const { cause } = error;
      const type = cause instanceof ApplicationFailure && cause.type;
      return { state, ...(cause && { reason: cause.message }), ...(type && { type }) };
    }
  }

  /** Calls back with what the record knows about each. */
  async #compareEndings(
    executions: Execution[],
    compare: (execution: Execution, row: Ending | undefined) => Promise<void>,
  ): Promise<void> {
    const { db } = this.#deps;
    const rows = new Map<string, Ending>();
    for (const name of ['build', 'task'] as const) {
      const kind = recoverable(name);
      const ids = executions.filter((it) => it.kind === name).map(({ id }) => kind.idFrom(id));
      for (const row of await findEndings(db, kind.stream, ids)) rows.set(`${name}:${row.id}`, row);
    }
    await this.#each(executions, (execution) => compare(execution, rows.get(subjectOf(execution))));
  }

  /** Repairs a difference, unless this is a dry run. If one cannot be repaired, the others go on. */
  async #mend(subject: string, found: Difference['found'], mend: () => Promise<Outcome>): Promise<void> {
    const difference: Difference = { subject, found };
    if (!this.#options.dryRun) {
      try {
        difference.outcome = await mend();
      } catch (error) {
        difference.error = error instanceof Error ? error.message : String(error);
        this.#deps.log.error(
          { err: error, subject, found },
          'record and Temporal differ, and the difference could not be repaired',
        );
      }
      if (difference.outcome === 'agrees') return;
    }
    this.#note(difference);
  }

  #note(difference: Difference): void {
    this.differences.push(difference);
    this.#options.report?.(difference);
  }

  async #each<Item>(items: AsyncIterable<Item> | Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    for await (const item of items) {
      if (this.#options.signal?.aborted || failures.length > 0) break;
      const job: Promise<void> = work(item)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(job));
      running.add(job);
      if (running.size >= AT_ONCE) await Promise.race(running);
    }
    await Promise.all(running);
    if (failures.length > 0) throw failures[0];
  }

  /** Says whether this installation started a workflow. A record without events adopts the installation that it finds. */
  async #isOurs({ installation, epoch = 1 }: Partial<Execution>): Promise<boolean> {
    if (installation === undefined || installation === this.#installation) return true;
    if (!this.#options.dryRun && (await adoptInstallation(this.#deps.db, installation, epoch))) {
      this.#installation = installation;
      this.#deps.epoch = (await this.#deps.installation.refresh()).epoch;
      return true;
    }
    this.#foreign += 1;
    return false;
  }

  #handle({ workflow_id, run_id }: Execution): WorkflowHandle {
    return this.#deps.client.workflow.getHandle(workflow_id, run_id);
  }
}
