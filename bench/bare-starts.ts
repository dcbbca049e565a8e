import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import pino from 'pino';
import { BUILD_WORKFLOW, type BuildInput, buildWorkflowId } from '../src/contracts/builds/build-workflow.ts';
import { readSettings } from '../src/contracts/settings.ts';
import { WORKFLOW_TASK_QUEUE } from '../src/contracts/tasks/task-queues.ts';
import { startEmbeddedPostgres } from '../src/laptop/embedded-postgres.ts';
import { connectGitHub } from '../src/processes/github.ts';
import { connectTemporal, lazyTemporalClient } from '../src/processes/temporal.ts';
import { installTemporalRuntime } from '../src/processes/temporal-runtime.ts';
import { openDatabase } from '../src/store/database.ts';
import { migrateDatabase } from '../src/store/migrate.ts';
import { createBuildWorker } from '../src/worker/worker.ts';
import type { build } from '../src/workflows/index.ts';
import { closedLoop, type Until } from './closed-loop.ts';
import { serve } from './helper.ts';

export type BareStarts =
  /** With `worker`, one that runs the same workflow on the same connection, with an embedded Postgres in `directory`. */
  | { kind: 'open'; address: string; namespace: string; worker?: { directory: string; githubUrl: string } }
  | { kind: 'starts'; connections: number; until: Until };

/** Nobody polls it. */
const UNATTENDED_QUEUE = 'hapax-bench-unattended';

/** What a client that does nothing but start workflows reaches: the baseline of an accepted trigger. */
let client: Client;
let taskQueue = UNATTENDED_QUEUE;
let builds = 0;

serve<BareStarts>(async (question) => {
  if (question.kind === 'open') return open(question);
  const { connections, until } = question;
  return closedLoop({ connections, until }, () => start(++builds));
});

async function open({ address, namespace, worker }: BareStarts & { kind: 'open' }): Promise<void> {
  const settings = readSettings({ LOG_LEVEL: 'error', TEMPORAL_NAMESPACE: namespace });
  const log = pino({ level: 'error' });
  installTemporalRuntime(log);
  if (!worker) {
    // As the api role connects.
    ({ client } = await lazyTemporalClient({ ...settings, address }));
    await client.workflowService.getSystemInfo({});
    return;
  }
  taskQueue = WORKFLOW_TASK_QUEUE;
  const postgres = await startEmbeddedPostgres({ directory: join(worker.directory, 'postgres') });
  await migrateDatabase(postgres.url);
  const connected = await connectTemporal({ ...settings, address });
  const { db } = openDatabase({ url: postgres.url });
  const toGitHub = { GITHUB_TOKEN: 'bench', GITHUB_API_URL: worker.githubUrl, GITHUB_WRITE_INTERVAL: 0 };
  const github = connectGitHub({ ...settings, ...toGitHub }, { db });
  const running = await createBuildWorker({
    connection: connected.connection,
    namespace,
    db,
    forges: { of: () => github },
    fire: undefined as never,
    concurrency: 1,
  });
  void running.run();
  client = connected.client;
}

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const [BUILD_ID, REPOSITORY, REF, STATUS] = ['HapaxBuildId', 'HapaxRepository', 'HapaxRef', 'HapaxStatus'].map(keyword);

/** The start that the trigger command makes, with an input of the same size. */
async function start(id: number): Promise<void> {
  const ref = `bare-${process.pid}-${id}`;
  const print = createHash('sha256').update(ref).digest('hex');
  const now = Date.now();
  const input: BuildInput = {
    build_id: id,
    workflow_id: buildWorkflowId(print),
    request_key: print,
    fingerprint: print,
    keyed: false,
    caller: 'anonymous',
    config_id: 1,
    config_version: 1,
    image_type: 'fedora-sway-atomic',
    fedora_version: '43',
    priority: 3,
    request: {
      repository: 'octocat/fedora-images',
      workflow: 'build.yml',
      ref,
      inputs: { image_type: 'fedora-sway-atomic', fedora_version: '43' },
    },
    created_at: new Date(now).toISOString(),
    dedup_until: new Date(now).toISOString(),
    policy: {
      correlation_input: 'hapax_id',
      reconcile_window_ms: 120_000,
      deadline_ms: 10_800_000,
      max_retries: 3,
      retry_delay_ms: 60_000,
      poll_interval_ms: 1_000,
      request_timeout_ms: 15_000,
    },
  };
  await client.workflow.start<typeof build>(BUILD_WORKFLOW, {
    workflowId: input.workflow_id,
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    requestEagerStart: taskQueue === WORKFLOW_TASK_QUEUE,
    memo: { build_id: id, fingerprint: print },
    priority: { priorityKey: 3 },
    staticSummary: `build ${id}: octocat/fedora-images build.yml @ ${ref}`,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: BUILD_ID!, value: String(id) },
      { key: REPOSITORY!, value: 'octocat/fedora-images' },
      { key: REF!, value: ref },
      { key: STATUS!, value: 'queued' },
    ]),
  });
}
