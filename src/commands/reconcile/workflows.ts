import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { BUILD_WORKFLOW, type BuildMemo } from '../../contracts/builds/build-workflow.ts';
import type { TaskStatus } from '../../contracts/tasks/task.ts';
import { LED_ELSEWHERE, TASK_WORKFLOWS, type TaskMemo } from '../../contracts/tasks/task-workflow.ts';
import { STATUS } from '../lifecycle/start-workflow.ts';

const OURS = `WorkflowType IN (${[BUILD_WORKFLOW, ...TASK_WORKFLOWS].map((name) => `'${name}'`).join(', ')})`;
const PAGE = 1_000;

/** One execution of the workflow of a build or task, as Temporal knows it. */
export interface Execution {
  workflow_id: string;
  run_id: string;
  kind: 'build' | 'task';
  /** Of the build or task; the text that its memo gives. */
  id: string;
  installation: string | undefined;
  epoch: number | undefined;
  started_at: Date;
  /** Temporal's word: RUNNING, COMPLETED, FAILED, TERMINATED, ... */
  state: string;
  /** The last status of the build or task that its workflow shows. */
  status: string | undefined;
}

/** What a listing or a description says of an execution. */
export function executionOf(info: Omit<WorkflowExecutionInfo, 'raw'>): Execution {
  const { build_id, task_id, installation, epoch } = (info.memo ?? {}) as Partial<BuildMemo & TaskMemo>;
  return {
    workflow_id: info.workflowId,
    run_id: info.runId,
    kind: info.type === BUILD_WORKFLOW ? 'build' : 'task',
    id: String(info.type === BUILD_WORKFLOW ? build_id : task_id),
    installation,
    epoch,
    started_at: info.startTime,
    state: info.status.name,
    status: statusOf(info),
  };
}

/** A task whose workflow completed has succeeded, and its workflow does not say so once more. */
function statusOf({ type, status, typedSearchAttributes }: Omit<WorkflowExecutionInfo, 'raw'>): string | undefined {
  const attribute = typedSearchAttributes.get(STATUS);
  const isSuccess = TASK_WORKFLOWS.includes(type) && status.name === 'COMPLETED' && attribute !== LED_ELSEWHERE;
  return isSuccess ? ('SUCCESS' satisfies TaskStatus) : attribute;
}

/** Every open workflow of a build or task. Temporal's listing may be seconds behind. */
export async function* listOpenExecutions(client: Client): AsyncGenerator<Execution> {
  yield* list(client, `${OURS} AND ExecutionStatus = 'Running'`);
}

/** Every closed workflow of a build or task, the last closed first. @param since leaves out what closed before; ISO 8601 */
export async function* listClosedExecutions(client: Client, since: string | null): AsyncGenerator<Execution> {
  const after = since === null ? '' : ` AND CloseTime >= '${since}'`;
  yield* list(client, `${OURS} AND ExecutionStatus != 'Running'${after}`);
}

/** The executions for one build, the last started first. */
export async function listExecutionsOfBuild(client: Client, id: number): Promise<Execution[]> {
  const executions: Execution[] = [];
  for await (const execution of list(client, `HapaxBuildId = '${id}'`)) executions.push(execution);
  return executions.sort((a, b) => b.started_at.getTime() - a.started_at.getTime());
}

/** The highest id of a build that Temporal knows of. Ids rise with time, so the newest workflows hold it. */
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

/** The input that an execution was started with. @throws where Temporal keeps its history no longer. */
export async function inputOfExecution(client: Client, { workflow_id, run_id }: Execution): Promise<unknown> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId: workflow_id, runId: run_id },
    maximumPageSize: 1,
  });
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  if (!payload) throw new Error(`the history of ${workflow_id} has no input`);
  return defaultPayloadConverter.fromPayload(payload);
}
