import pino from 'pino';
import { inject, onTestFinished } from 'vitest';
import { createTask } from '../../src/commands/tasks/create-task.ts';
import { TaskTypes } from '../../src/commands/tasks/task-types.ts';
import {
  REDELIVER_WORKFLOW,
  type RedeliverInput,
  redeliverWorkflowId,
} from '../../src/contracts/celery/dead-message.ts';
import { answerWorkflowId } from '../../src/contracts/endings/answer-workflow.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import { WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { read } from '../../src/domain/celery/reading.ts';
import { taskPolicyOf } from '../../src/domain/tasks/task-request.ts';
import { connectTemporal } from '../../src/processes/temporal.ts';
import { createAnswerWorker } from '../../src/worker/answer-worker.ts';
import { delivery } from '../unit/celery-captures.ts';
import { eventually } from '../world/eventually.ts';
import type { World } from '../world/world.ts';
import { inState, RECORDED_BY_ATTEMPT, revoke, WITHOUT_PATCH } from './task-paths.ts';

/** What the bridge asks for, done by a bridge without a broker: its workflows see no difference. */
export const ANSWER_PATHS: Readonly<Record<string, (world: World) => Promise<string>>> = {
  'task-of-a-message': taskOfMessage,
  [`task-of-a-message${RECORDED_BY_ATTEMPT}`]: taskOfMessage,
  [`task-of-a-message${WITHOUT_PATCH}`]: taskOfMessage,
  'task-that-a-message-asks-for-as-well': async (world) => {
    const asked = { name: 'process_content', args: ['endless', ['embed']] };
    await world.call('POST', '/tasks', { ...asked, task_id: 'a-message' });
    await inState(world, 'a-message', 'STARTED');
    await takenFromMessage(world, asked);
    await revoke(world, 'a-message');
    return taskWorkflowId('a-message');
  },
  'task-of-a-message-answered-at-once': async (world) => {
    await serveAnswers(world);
    const workflowId = taskWorkflowId(await takenFromMessage(world));
    await world.client.workflow.getHandle(workflowId).result();
    return workflowId;
  },
  'task-of-a-message-answered-later': taskOfMessage,
  'answer-about-a-task': async (world) => {
    const workflowId = answerWorkflowId({ task_id: await takenFromMessage(world), ending: 'ended' });
    await eventually(() => world.client.workflow.getHandle(workflowId).describe());
    await serveAnswers(world);
    await world.client.workflow.getHandle(workflowId).result();
    return workflowId;
  },
  'message-published-again': async (world) => {
    await serveAnswers(world);
    const input: RedeliverInput = { id: 'a-message', refusals: 1 };
    const workflowId = redeliverWorkflowId(input);
    const options = { workflowId, taskQueue: WORKFLOW_TASK_QUEUE, args: [input] };
    await world.client.workflow.start(REDELIVER_WORKFLOW, options);
    await world.client.workflow.getHandle(workflowId).result();
    return workflowId;
  },
};

/** A bridge that reaches no broker. */
async function serveAnswers(world: World): Promise<void> {
  const settings = { ...readSettings({}), TEMPORAL_NAMESPACE: world.namespace };
  const { connection } = await connectTemporal({ ...settings, address: inject('temporalAddress') });
  const ways = {
    rabbit: { publish: async () => {} },
    results: undefined,
    queueOf: () => undefined,
    keepChordPart: async () => [],
    deleteChordParts: async () => {},
    endReplaced: async () => {},
    keep: async () => {},
  };
  const worker = await createAnswerWorker({ connection, namespace: world.namespace, db: world.db, ways });
  const working = worker.run();
  onTestFinished(async () => {
    worker.shutdown();
    await working;
    await connection.close();
  });
}

async function taskOfMessage(world: World): Promise<string> {
  const task_id = await takenFromMessage(world);
  const answer = answerWorkflowId({ task_id, ending: 'ended' });
  await eventually(() => world.client.workflow.getHandle(answer).describe());
  return taskWorkflowId(task_id);
}

async function takenFromMessage(
  { client, db }: World,
  { name, args }: { name: string; args: unknown[] } = { name: 'semantic_search', args: ['anything'] },
): Promise<string> {
  const body = Buffer.from(JSON.stringify({ id: 'a-message', task: `tasks.${name}`, args }));
  const reading = read(delivery({ body }), new Date());
  if ('refusal' in reading) throw new Error(reading.refusal.detail);
  const deps = {
    client,
    db,
    workerBeside: false,
    installation: { memo: {}, epoch: {} },
    taskPolicy: taskPolicyOf(readSettings({})),
    taskTypes: new TaskTypes(db, pino({ level: 'silent' })),
    callbackHosts: { allowed: [], refusalOf: async () => undefined },
    secrets: undefined,
    meter: { taskAccepted() {} },
    log: pino({ level: 'silent' }),
  };
  return (await createTask(deps, { ...reading.task, awaitsReply: true })).id;
}
