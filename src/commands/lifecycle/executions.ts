import { type Client, type WorkflowExecutionInfo, WorkflowNotFoundError } from '@temporalio/client';
import { TERMINAL_STATUSES } from '../../contracts/builds/build.ts';
import { BUILD_WORKFLOW, type BuildMemo } from '../../contracts/builds/build-workflow.ts';
import { ENDED_TASK_STATUSES, type TaskStatus } from '../../contracts/tasks/task.ts';
import { LED_ELSEWHERE, TASK_WORKFLOW, TASK_WORKFLOWS, type TaskMemo } from '../../contracts/tasks/task-workflow.ts';
import type { Ending } from '../../store/endings/ending-list.ts';
import { STATUS } from './start-workflow.ts';

const OURS = `WorkflowType IN (${[BUILD_WORKFLOW, ...TASK_WORKFLOWS].map((name) => `'${name}'`).join(', ')})`;
const PAGE = 1_000;

/** One execution of the workflow of a build or task, as Temporal knows it. */
export interface Execution {
  workflow_id: string;
  run_id: string;
  /** Type name of the workflow. */
  type: string;
  kind: 'build' | 'task';
  /** Id of the build or task, as its memo has it. */
  id: string;
  installation: string | undefined;
  epoch: number | undefined;
  started_at: Date;
  /** Temporal's name for its state: RUNNING, COMPLETED, FAILED, TERMINATED, ... */
  state: string;
  /** The last status of the build or task, as its workflow shows it. */
  status: string | undefined;
}

/** Reads an execution from a listing or a description. */
export function executionOf(info: Omit<WorkflowExecutionInfo, 'raw'>): Execution {
  const { build_id, task_id, installation, epoch } = (info.memo ?? {}) as Partial<BuildMemo & TaskMemo>;
  return {
    workflow_id: info.workflowId,
    run_id: info.runId,
    type: info.type,
    kind: info.type === BUILD_WORKFLOW ? 'build' : 'task',
    id: String(info.type === BUILD_WORKFLOW ? build_id : task_id),
    installation,
    epoch,
    started_at: info.startTime,
    state: info.status.name,
    status: statusOf(info),
  };
}

/** Returns the last status. A task whose workflow completed has succeeded; its workflow does not set that status. */
function statusOf({ type, status, typedSearchAttributes }: Omit<WorkflowExecutionInfo, 'raw'>): string | undefined {
  const attribute = typedSearchAttributes.get(STATUS);
  const isSuccess = TASK_WORKFLOWS.includes(type) && status.name === 'COMPLETED' && attribute !== LED_ELSEWHERE;
  return isSuccess ? ('SUCCESS' satisfies TaskStatus) : attribute;
}

/**
 * Says whether a workflow completed without running its task, because another one did. Those of earlier versions may not say so; their
 * result is then null.
 */
export function isLedElsewhere({ type, status }: Execution, result: unknown): boolean {
  return status === LED_ELSEWHERE || (type !== TASK_WORKFLOW && result === null);
}

/** Returns the build or task that a workflow leads, as the subject of a difference. */
export function subjectOf({ kind, id }: Execution): string {
  return `${kind}:${id}`;
}

const ENDED: ReadonlySet<string> = new Set([...TERMINAL_STATUSES, ...ENDED_TASK_STATUSES]);

/** Says whether a workflow brought its build or task to an end. */
export function isTerminal({ status }: Execution): boolean {
  return status !== undefined && ENDED.has(status);
}

/** Says whether the record knows only an end from before a workflow began. Then it has lost what that workflow did. */
export function isEndOfEarlierLife({ completed_at }: Ending, { started_at }: Execution): boolean {
  return completed_at !== null && Date.parse(completed_at) < started_at.getTime();
}

/** Finds the last execution with a workflow id, as Temporal itself knows it, not its listing. */
export async function findExecution(client: Client, workflowId: string): Promise<Execution | undefined> {
  try {
    return executionOf(await client.workflow.getHandle(workflowId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Says whether an execution that was listed as open still is, as Temporal itself knows it. */
export async function isStillOpen(client: Client, { workflow_id, run_id }: Execution): Promise<boolean> {
  const last = await findExecution(client, workflow_id);
  return last?.run_id === run_id && last.state === 'RUNNING';
}

/** Lists every open workflow of a build or task. Temporal's listing may be seconds behind. */
export async function* listOpenExecutions(client: Client): AsyncGenerator<Execution> {
  yield* list(client, `${OURS} AND ExecutionStatus = 'Running'`);
}

/** Lists every closed workflow of a build or task, last closed first. @param since leaves out those that closed before; ISO 8601 */
export async function* listClosedExecutions(client: Client, since: string | null): AsyncGenerator<Execution> {
  const after = since === null ? '' : ` AND CloseTime >= '${since}'`;
  yield* list(client, `${OURS} AND ExecutionStatus != 'Running'${after}`);
}

/** Lists the executions for one build, last started first. */
export async function listExecutionsOfBuild(client: Client, id: number): Promise<Execution[]> {
  const executions: Execution[] = [];
  for await (const execution of list(client, `HapaxBuildId = '${id}'`)) executions.push(execution);
  return executions.sort((a, b) => b.started_at.getTime() - a.started_at.getTime());
}

/** Returns the highest id of a build that Temporal knows. Ids grow with time, so the newest workflows have it. */
export async function highestBuildId(client: Client): Promise<number> {
  let highest = 0;
  for (const which of ["= 'Running'", "!= 'Running'"]) {
    let seen = 0;
    const query = `WorkflowType = '${BUILD_WORKFLOW}' AND ExecutionStatus ${which}`;
    for await (const { id } of list(client, query)) {
      highest = Math.max(highest, Number(id) || 0);
      if (++seen >= PAGE) break;
    }
  }
  return highest;
}

async function* list(client: Client, query: string): AsyncGenerator<Execution> {
  for await (const info of client.workflow.list({ query, pageSize: PAGE })) yield executionOf(info);
}

/**
 * Returns the input that an execution was started with.
 * @throws if Temporal no longer keeps its history, or it was encrypted with a key that the client does not have.
 */
export async function inputOfExecution(client: Client, { workflow_id, run_id }: Execution): Promise<unknown> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId: workflow_id, runId: run_id },
    maximumPageSize: 1,
  });
  let payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
  const [payload] = payloads;
  if (!payload) throw new Error(`the history of ${workflow_id} has no input`);
  return payloadConverter.fromPayload(payload);
}
