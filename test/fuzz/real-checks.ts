import type { WorkflowExecutionInfo } from '@temporalio/client';
import postgresJs from 'postgres';
import type { RecordedEvent } from '../../src/contracts/builds/event.ts';
import type { OracleRun } from '../simulator/harness.ts';
import type { World } from '../world/world.ts';
import { faultsOfAccepted, faultsOfBuild, type Leading, type RunHistory } from './checks.ts';
import { faultsOfLog, LOG_ROWS, type LogRow } from './log-check.ts';
import type { Lived } from './real-schedule.ts';

interface Row {
  id: number;
  status: string;
  workflow_id: string;
  completed_at: string | null;
  needs_attention: boolean;
}

/** The parts of a world as these checks see them: past the API, in the database, in Temporal and in GitHub's ledger. */
export class Inspection {
  readonly #world: World;
  readonly #sql: postgresJs.Sql;

  constructor(world: World) {
    this.#world = world;
    this.#sql = postgresJs(world.databaseUrl, { max: 1, onnotice: () => {} });
  }

  close(): Promise<void> {
    return this.#sql.end();
  }

  async builds(ids: readonly number[]): Promise<Row[]> {
    const rows = await this.#sql<Row[]>`
      SELECT id::int, status, workflow_id, completed_at::text, needs_attention FROM builds WHERE id IN ${this.#sql(ids)}`;
    return rows;
  }

  /** Whether no workflow of these builds runs any more. */
  async isQuiet(): Promise<boolean> {
    const { count } = await this.#world.client.workflow.count('ExecutionStatus = "Running"');
    return count === 0;
  }

  /** What must hold once all is over, or should be. */
  async violations(lived: readonly Lived[], isOver: boolean): Promise<string[]> {
    const accepted = lived.flatMap((one) => one.accepted);
    const ids = [...new Set(accepted.map(({ id }) => id))];
    const builds = await this.builds(ids);
    const streams = ids.map((id) => `build:${id}`);
    const rows = await this.#sql.unsafe<LogRow[]>(`${LOG_ROWS} WHERE stream = ANY($1)`, [streams]);
    const { runs_per_token } = await this.#world.github.oracle();
    const runs = (await this.#world.github.runs()).map((run) => ({ ...historyOf(run), token: run.token }));
    const faults = [
      ...lived.flatMap((one) => one.violations),
      ...faultsOfLog(rows),
      ...faultsOfAccepted(
        accepted,
        builds.map(({ id }) => id),
      ),
    ];
    const resets = new Map(lived.flatMap((one) => one.resets).map(({ workflowId, at }) => [workflowId, at]));
    for (const build of builds) {
      const events = rows
        .filter(({ stream }) => stream === `build:${build.id}`)
        .sort((a, b) => a.seq - b.seq) as unknown as RecordedEvent[];
      const own = runs.filter(({ token }) => token?.startsWith(`hapax-${build.id}-`));
      const leading = await this.#leading(build.workflow_id);
      // Reset after its end is recorded, a workflow fails and changes nothing: nobody can keep an operator from it.
      const isResetTooLate = Number(resets.get(build.workflow_id)) + 500 >= Date.parse(build.completed_at ?? '');
      const judged = isResetTooLate ? leading.filter(({ closed }) => closed?.how !== 'FAILED') : leading;
      faults.push(
        ...faultsOfBuild(build, events, judged, { own, all: runs, isOver }),
        ...overlapping(build.id, own),
        ...overlooked(events, own),
      );
    }
    for (const [token, count] of Object.entries(runs_per_token)) {
      if (count > 1 && ids.includes(Number(token.split('-')[1]))) faults.push(`${count} runs carry the token ${token}`);
    }
    return faults;
  }

  /** Every run of a workflow, oldest first, with what it returned. */
  async #leading(workflowId: string): Promise<Leading[]> {
    const { workflow } = this.#world.client;
    const found: WorkflowExecutionInfo[] = [];
    for await (const one of workflow.list({ query: `WorkflowId = "${workflowId}"` })) found.push(one);
    return Promise.all(
      found
        .toSorted((a, b) => a.startTime.getTime() - b.startTime.getTime())
        .map(async ({ runId, status: { name } }) => {
          if (name === 'RUNNING') return { runId, closed: undefined };
          if (name !== 'COMPLETED') return { runId, closed: { how: name === 'TERMINATED' ? 'terminated' : name } };
          const result: unknown = await workflow.getHandle(workflowId, runId, { followRuns: false }).result();
          return { runId, closed: { how: 'completeWorkflowExecution', result } };
        }),
    );
  }

  /** What the record says of builds, for whoever looks into a violation. */
  async story(ids: readonly number[]): Promise<string[]> {
    const rows = await this.#sql.unsafe<LogRow[]>(`${LOG_ROWS} WHERE stream = ANY($1) ORDER BY position`, [
      ids.map((id) => `build:${id}`),
    ]);
    return rows.map((row) => `${row.recorded_at} ${row.stream} ${row.seq} ${row.type} ${JSON.stringify(row.data)}`);
  }
}

function historyOf({ id, status, deleted, history }: OracleRun): RunHistory {
  return {
    id,
    moments: history.map(({ at, run_attempt, ...rest }) => ({ at: Date.parse(at), attempt: run_attempt, ...rest })),
    isLive: !deleted && status !== 'completed',
  };
}

/** A dispatch that was given up for want of a run left none: the listing is never as far behind as the window is long. */
function overlooked(events: readonly RecordedEvent[], runs: readonly { token: string | null }[]): string[] {
  const tokens = new Map(
    events.filter(({ type }) => type === 'dispatch_intended').map(({ data }) => [data.attempt, data.token]),
  );
  return events
    .filter(
      ({ type, data }) => type === 'dispatch_absent' && runs.some(({ token }) => token === tokens.get(data.attempt)),
    )
    .map(({ stream, data }) => `${stream}: dispatch ${data.attempt} was held to be without a run, and has one`);
}

/** At most one run of a build lives at a time: told by GitHub's ledger alone. */
function overlapping(id: number, runs: readonly RunHistory[]): string[] {
  const lives = runs.flatMap((run) =>
    [...Map.groupBy(run.moments, ({ attempt }) => attempt).values()].map((moments) => ({
      run: run.id,
      from: moments[0]!.at,
      to: moments.findLast(({ status }) => status === 'completed')?.at ?? Number.POSITIVE_INFINITY,
    })),
  );
  return lives.flatMap((one, index) =>
    lives
      .slice(index + 1)
      .filter((other) => other.run !== one.run && one.from < other.to && other.from < one.to)
      .map((other) => `build ${id}: runs ${one.run} and ${other.run} lived at the same time`),
  );
}
