import { type Client, ServiceError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { defaultPayloadConverter, TerminatedFailure } from '@temporalio/common';
import type { VirtualTemporal } from './temporal.ts';
import type { Execution } from './temporal-execution.ts';

/** Makes a call to the server, which may be away or lose its answer. */
type Ask = <T>(effect: () => T) => Promise<T>;

/** Temporal as the API sees it: as much of the SDK's client as the product uses. */
export function virtualClient(temporal: VirtualTemporal, ask: Ask): Client {
  const found = (id: string, runId?: string): Execution => {
    const isMeant = (one: Execution) => one.workflowId === id && (runId === undefined || one.runId === runId);
    const execution = temporal.executions.findLast(isMeant);
    if (!execution) throw new WorkflowNotFoundError('not found', id, runId);
    return execution;
  };
  const start = (type: string, options: StartOptions) =>
    ask(() => {
      const execution = temporal.start(type, options.workflowId, options.args, {
        memo: options.memo,
        reuse: options.workflowIdReusePolicy,
      });
      for (const { key, value } of options.typedSearchAttributes.getAll()) execution.upsert(key.name, value);
    });
  const getHandle = (id: string, runId?: string) => ({
    signal: (name: string, ...args: unknown[]) =>
      ask(() => {
        if (found(id, runId).closed) throw new WorkflowNotFoundError('closed', id, runId);
        temporal.signal(id, name, args);
      }),
    describe: () => ask(() => infoOf(found(id, runId))),
  });
  async function* list({ query }: { query: string }) {
    yield* await ask(() => listed(temporal.executions, query).map(infoOf));
  }
  const result = (id: string, runId: string) => ask(() => resultOf(found(id, runId)));
  const getWorkflowExecutionHistory = ({ execution: { workflowId, runId } }: HistoryOf) =>
    ask(() => {
      const payloads = found(workflowId, runId).input;
      return { history: { events: [{ workflowExecutionStartedEventAttributes: { input: { payloads } } }] } };
    });
  const loadedDataConverter = { payloadConverter: defaultPayloadConverter, payloadCodecs: [] };
  return {
    options: { namespace: 'default', loadedDataConverter },
    workflow: { start, getHandle, list, result },
    workflowService: { getWorkflowExecutionHistory, listSchedules: async () => ({ schedules: [] }) },
    withDeadline: (_: number, work: () => Promise<unknown>) => work(),
  } as unknown as Client;
}

interface StartOptions {
  workflowId: string;
  args: unknown[];
  memo: Record<string, unknown>;
  workflowIdReusePolicy: string;
  typedSearchAttributes: { getAll(): Array<{ key: { name: string }; value: unknown }> };
}

interface HistoryOf {
  execution: { workflowId: string; runId: string };
}

/** Temporal's words for how an execution stands. */
const STATES = {
  completeWorkflowExecution: 'COMPLETED',
  failWorkflowExecution: 'FAILED',
  cancelWorkflowExecution: 'CANCELLED',
  continueAsNewWorkflowExecution: 'CONTINUED_AS_NEW',
  terminated: 'TERMINATED',
  lost: 'LOST',
} as const;

function stateOf({ closed }: Execution): string {
  return closed ? STATES[closed.how] : 'RUNNING';
}

function infoOf(execution: Execution) {
  const { workflowId, runId, type, memo, startedAt, attributes } = execution;
  const known = new Map(attributes);
  return {
    workflowId,
    runId,
    type,
    memo,
    status: { name: stateOf(execution) },
    startTime: new Date(startedAt),
    typedSearchAttributes: { get: ({ name }: { name: string }) => attributeOf(known, name) },
  };
}

function attributeOf(attributes: ReadonlyMap<string, unknown>, name: string): unknown {
  const value = attributes.get(name);
  return Array.isArray(value) ? value[0] : value;
}

/** What each part of a query asks, as src/commands/lifecycle/executions.ts writes them. */
const CLAUSES: ReadonlyArray<[RegExp, (execution: Execution, ...words: string[]) => boolean]> = [
  [/^WorkflowType IN \((.+)\)$/, ({ type }, types = '') => types.includes(`'${type}'`)],
  [/^WorkflowType = '(\w+)'$/, ({ type }, wanted) => type === wanted],
  [/^ExecutionStatus = 'Running'$/, ({ closed }) => !closed],
  [/^ExecutionStatus != 'Running'$/, ({ closed }) => closed !== undefined],
  [/^CloseTime >= '(.+)'$/, ({ closed }, since = '') => closed !== undefined && closed.at >= Date.parse(since)],
  [/^HapaxBuildId = '(\d+)'$/, ({ attributes }, id) => attributeOf(attributes, 'HapaxBuildId') === id],
];

/** In the order of Temporal's listings: the last closed first, and among the open ones the last started. */
function listed(executions: readonly Execution[], query: string): Execution[] {
  const clauses = query.split(' AND ').map((clause) => {
    for (const [pattern, holds] of CLAUSES) {
      const words = pattern.exec(clause)?.slice(1);
      if (words) return (execution: Execution) => holds(execution, ...words);
    }
    throw new Error(`this search does not know the query ${clause}`);
  });
  return executions
    .filter((execution) => clauses.every((holds) => holds(execution)))
    .sort((a, b) => (b.closed?.at ?? b.startedAt) - (a.closed?.at ?? a.startedAt));
}

function resultOf({ closed }: Execution): unknown {
  if (closed?.how === 'completeWorkflowExecution') return closed.result;
  const cause = closed?.how === 'terminated' ? new TerminatedFailure('terminated') : closed?.failure;
  throw new WorkflowFailedError('the workflow failed', cause, 'NON_RETRYABLE_FAILURE');
}

/** What the SDK's client throws while the server cannot be reached. */
export function unavailable(): ServiceError {
  const cause = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'unavailable', metadata: {} });
  return new ServiceError('Temporal is away', { cause });
}
