/**
 * A worker of the queue `content` that says what it does and does what it is told, in a process that can be killed. It says `begun` when it
 * begins a task, and ends it with the line that it is sent, as the result. Arguments: address and namespace of Temporal, URL of the database.
 */
import { createInterface } from 'node:readline';
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
const lines = createInterface({ input: process.stdin });
const handlers: Partial<TaskHandlers> = {
  async process_content() {
    const told = new Promise((resolve) => lines.once('line', resolve));
    console.log('begun');
    return told;
  },
};
const connection = await NativeConnection.connect({ address });
const worker = await createTaskWorker(
  { connection, namespace, db, code: builtInCode(handlers as TaskHandlers) },
  {
    queue: 'content',
    identity: `${process.pid}@cut-off`,
    slots: new Slots(1, true),
    rules: { waitMs: () => 0, limitsOf: () => undefined },
  },
);
await worker.run();
