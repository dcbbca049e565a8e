/**
 * A worker of the queue `content` whose process dies of each task as soon as it begins, as one does that a native library takes
 * down. Arguments: address and namespace of Temporal, URL of the database.
 */
import { NativeConnection } from '@temporalio/worker';
import pino from 'pino';
import { builtInCode } from '../../../src/activities/task-code.ts';
import type { TaskHandlers } from '../../../src/activities/task-handlers.ts';
import { installTemporalRuntime } from '../../../src/processes/temporal-runtime.ts';
import { openDatabase, RUNTIME_ROLE } from '../../../src/store/database.ts';
import { Slots } from '../../../src/worker/slots.ts';
import { createTaskWorker } from '../../../src/worker/task-worker.ts';

const [address = '', namespace = '', url = ''] = process.argv.slice(2);
installTemporalRuntime(pino({ level: 'silent' }));
const { db } = openDatabase({ url, role: RUNTIME_ROLE });
const handlers: Partial<TaskHandlers> = {
  process_content: async () => process.kill(process.pid, 'SIGKILL'),
};
const connection = await NativeConnection.connect({ address });
const worker = await createTaskWorker(
  { connection, namespace, db, code: builtInCode(handlers as TaskHandlers) },
  {
    queue: 'content',
    identity: `${process.pid}@dying`,
    slots: new Slots(1, true),
    rules: { waitMs: () => 0, limitsOf: () => undefined },
  },
);
await worker.run();
