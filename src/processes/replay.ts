import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { readSettings } from '../contracts/settings.ts';
import { WORKFLOW_TASK_QUEUE } from '../contracts/tasks/task-queues.ts';
import { UserError } from '../laptop/user-error.ts';
import { workflowBundle } from '../worker/bundle.ts';
import { dataConverterOf } from './payload-codec.ts';
import { required } from './required.ts';
import { orTemporalAway } from './start-faults.ts';
import { lazyTemporalClient } from './temporal.ts';

/** Runs `hapax replay` with the open workflows that started last. @throws {UserError} if a workflow could not be continued. */
export async function runReplay(limit: number, environment: NodeJS.ProcessEnv): Promise<void> {
  const settings = readSettings(environment, 'replay');
  const address = required(settings, 'TEMPORAL_ADDRESS');
  // The results report failures.
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => {}),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  const { client, disconnect } = await lazyTemporalClient({ ...settings, address });
  try {
    const { workflow } = client;
    const open = workflow.list({ query: `TaskQueue = '${WORKFLOW_TASK_QUEUE}' AND ExecutionStatus = 'Running'` });
    const dataConverter = dataConverterOf(settings);
    const results = Worker.runReplayHistories(
      { workflowBundle: { codePath: await workflowBundle() }, ...(dataConverter ? { dataConverter } : {}) },
      first(limit, open, async ({ workflowId, runId }) => ({
        workflowId,
        history: await workflow.getHandle(workflowId, runId).fetchHistory(),
      })),
    );
    let replayed = 0;
    let failed = 0;
    for await (const { workflowId, error } of results) {
      replayed += 1;
      if (!error) continue;
      failed += 1;
      console.log(`${workflowId}: ${reasonOf(error)}`);
    }
    console.log(`${replayed} open workflows replayed, ${failed} could not be continued`);
    if (failed > 0) throw new UserError('this version cannot continue all open workflows; do not roll it out');
  } catch (error) {
    orTemporalAway(address)(error);
  } finally {
    await disconnect();
  }
}

/** Returns the line that Temporal's Core begins with the number of its rule; else the first line. */
function reasonOf({ message }: Error): string {
  return /\[TMPRL\d+\] ([^"\\]*)/.exec(message)?.[1] ?? message.split('\n', 1)[0]!;
}

async function* first<Item, Result>(limit: number, items: AsyncIterable<Item>, of: (item: Item) => Promise<Result>) {
  let count = 0;
  for await (const item of items) {
    if (count === limit) return;
    count += 1;
    yield await of(item);
  }
}
