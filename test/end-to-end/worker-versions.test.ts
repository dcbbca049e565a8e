import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, inject, it, onTestFinished } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { hapax } from '../integration/told-builds.ts';
import { eventually } from '../world/eventually.ts';
import { makeVersionCurrent } from '../world/worker-version.ts';
import { openNamespace } from '../world/world.ts';
import { openCloud } from './cloud.ts';
import { directory, Program } from './program.ts';

const FOREIGN = fileURLToPath(new URL('../fixtures/workflows-of-another-version.ts', import.meta.url));

async function connect(namespace: string) {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  onTestFinished(() => connection.close());
  return new Client({ connection, namespace });
}

it('a build moves on to the worker version that is made the current one, and ends there', async () => {
  const namespace = await openNamespace();
  const client = await connect(namespace);
  const cloud = await openCloud(inject('temporalCli'), {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
  });
  const home = await directory();
  const startWorker = (buildId: string) => {
    const environment = { ...cloud.environment, TEMPORAL_WORKER_BUILD_ID: buildId };
    const worker = new Program(
      process.execPath,
      ['bin/hapax.js', 'serve', 'worker'],
      environment,
      join(home, `${buildId}.log`),
    );
    onTestFinished(() => worker.kill());
    return worker;
  };
  const makeCurrent = (buildId: string) => makeVersionCurrent(client.workflowService, namespace, buildId);
  const versionOf = async (workflowId: string) => {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;
  };

  await cloud.github.set({ running_for_ms: null });
  cloud.api.start();
  const old = startWorker('0.1.0');
  await makeCurrent('0.1.0');
  const id = await eventually(async () => {
    const { status, json } = await cloud.trigger('on-both-versions');
    expect(status).toBe(202);
    return json.id as number;
  });
  const { json } = await eventually(async () => {
    const answer = await cloud.asked('GET', `/builds/${id}`);
    expect(answer.json.workflow_run_id).toEqual(expect.any(Number));
    return answer;
  });
  const workflowId = String(json.events[0].event_data.workflow_id);
  expect(await versionOf(workflowId)).toBe('0.1.0');

  startWorker('0.2.0');
  await makeCurrent('0.2.0');
  old.signal('SIGTERM');
  await old.ended;
  await cloud.github.force(json.workflow_run_id, 'completed', 'success');
  await cloud.succeeds(id);
  expect(await versionOf(workflowId)).toBe('0.2.0');
  expect((await cloud.github.oracle()).runs).toBe(1);
});

it('hapax replay says whether this version can continue what is open', async () => {
  const namespace = await openNamespace();
  const client = await connect(namespace);
  const environment = {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
    DEPLOYMENT_MODE: 'cloud',
  };
  expect(await hapax(['replay'], environment)).toMatchObject({
    code: 0,
    lines: ['0 open workflows replayed, 0 could not be continued'],
  });
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const foreign = await Worker.create({
    ...{ connection, namespace, taskQueue: WORKFLOW_TASK_QUEUE, workflowsPath: FOREIGN },
  });
  await foreign.runUntil(async () => {
    const start = { taskQueue: WORKFLOW_TASK_QUEUE, args: [] };
    const handle = await client.workflow.start('sweepDeliveries', { ...start, workflowId: 'taken-elsewhere' });
    await eventually(async () => expect(await handle.query('waits')).toBe(true));
  });
  await connection.close();
  await eventually(async () => {
    const { code, lines, stderr } = await hapax(['replay'], environment);
    expect(lines).toEqual([
      expect.stringMatching(/^taken-elsewhere: Nondeterminism error: [^"{]*$/),
      '1 open workflows replayed, 1 could not be continued',
    ]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('do not roll it out')]);
  });
});
