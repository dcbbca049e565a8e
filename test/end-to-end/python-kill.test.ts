import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@redis/client';
import { connect } from 'amqplib';
import postgresJs from 'postgres';
import { expect, it, onTestFinished } from 'vitest';
import { findTemporalCli } from '../../src/laptop/temporal-cli.ts';
import { hasCelery } from '../world/celery.ts';
import { ENTRY } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { childrenOf, type PythonWorker, pollerOf, startPythonWorker } from '../world/python-worker.ts';
import { hasRabbitMq, startRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis, startRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';
import { openCloud } from './cloud.ts';
import { directory } from './program.ts';

/** `TASKS=2000 KILLS=30` is the longer run. */
const TASKS = Number(process.env.TASKS ?? 60);
const KILLS = Number(process.env.KILLS ?? 4);
/** Every tenth message is a member of a chord of three. */
const CHORDS = Math.floor(TASKS / 30);
const PATIENCE_MS = 180_000 + TASKS * 1_000;

/** A task in TypeScript that needs two attempts, with an effect whose receiver knows the token again. */
const MODULE = `
import { writeFileSync } from 'node:fs';
import { defineTask, z } from 'hapax/tasks';

export const twice = defineTask({
  name: 'twice',
  queue: 'mine',
  retryDelay: '100ms',
  arguments: z.object({ effects: z.string() }),
  async run({ effects }, { step, attempt }) {
    await step('effect', ({ idempotencyToken }) => writeFileSync(effects + '/' + idempotencyToken.replaceAll('/', '-'), ''));
    if (attempt === 1) throw new RangeError('not yet');
    return 'twice';
  },
});
`;

interface Sent {
  id: string;
  queue: string;
  body: unknown;
  headers?: Record<string, unknown>;
}

interface Told {
  id: string;
  name: string;
  status: string;
  error: string | null;
  types: string[];
  counted: number;
}

describeWith({ RabbitMQ: hasRabbitMq, Redis: hasRedis, 'Python with Celery': hasCelery() }, 'tasks in Python', () => {
  it(`end once each: ${TASKS} tasks, ${KILLS} kills`, { timeout: 2 * PATIENCE_MS }, async () => {
    const home = await directory();
    const effects = join(home, 'effects');
    await mkdir(effects);
    await mkdir(join(home, 'tasks'));
    await writeFile(join(home, 'tasks', 'twice.ts'), MODULE);
    const [rabbit, redis] = await Promise.all([startRabbitMq(), startRedis()]);
    onTestFinished(() => Promise.all([rabbit.close(), redis.close()]).then(() => {}));
    const cloud = await openCloud(await findTemporalCli({ env: process.env, report: console.log }), {
      ...{ AMQP_URL: rabbit.url, RESULT_REDIS_URL: redis.url, HAPAX_TASKS: join(home, 'tasks') },
    });
    await cloud.temporal.start();
    cloud.startRoles();
    cloud.bridge.start();

    const startWorker = async (name: string) => {
      const own = await mkdtemp(join(home, `${name}-`));
      const environment = {
        ...{ BROKER: rabbit.url, BACKEND: redis.url, QUEUE: 'killed', TRACE: join(own, 'trace') },
        TEMPORAL_ADDRESS: cloud.temporal.address,
      };
      await writeFile(environment.TRACE, '');
      return startPythonWorker({ program: 'hapax-worker', app: 'features', environment, directory: own });
    };
    let pythons: PythonWorker[] = await Promise.all([startWorker('a'), startWorker('b')]);
    onTestFinished(async () => {
      await Promise.all(pythons.map((worker) => worker.stop('SIGKILL')));
    });
    await eventually(async () => {
      const names = JSON.stringify((await cloud.asked('GET', '/task-types')).json);
      expect(names).toContain('features.survives');
      expect(names).toContain('twice');
    });

    const sent = [...messages(effects), ...(await chords(redis.url))];
    const sql = postgresJs(cloud.postgres.url, { onnotice() {} });
    onTestFinished(() => sql.end());
    const publishing = publish(rabbit.url, sent);
    const expected = sent.length + CHORDS;
    const ended = async () => Number((await sql`SELECT count(*) AS n FROM tasks WHERE completed_at IS NOT NULL`)[0]?.n);

    const replace = async (worker: PythonWorker) => {
      await worker.exited;
      pythons = [...pythons.filter((one) => one !== worker), await startWorker('again')];
    };
    const killPython = async (which: 'worker' | 'poller' | 'child') => {
      const worker = pythons[0]!;
      const pid = worker.process.pid!;
      const victim = which === 'worker' ? pid : which === 'poller' ? pollerOf(pid)! : childrenOf(pid)[0]!;
      process.kill(victim, 'SIGKILL');
      if (which !== 'child') await replace(worker);
    };
    const restart = async (part: { kill(): Promise<unknown>; start(): unknown }) => {
      await part.kill();
      await eventually(() => part.start());
    };
    const victims: Array<[string, () => Promise<unknown>]> = [
      ['Python worker', () => killPython('worker')],
      ['RabbitMQ', () => restart({ kill: () => rabbit.stop('SIGKILL'), start: () => rabbit.start() })],
      ['Temporal', () => restart(cloud.temporal)],
      ['bridge', () => restart(cloud.bridge)],
      ['poller', () => killPython('poller')],
      ['TypeScript worker', () => restart(cloud.worker)],
      ['child', () => killPython('child')],
      ['API', () => restart(cloud.api)],
    ];
    const began = Date.now();
    for (let kill = 0; kill < KILLS; kill++) {
      await eventually(
        async () => expect(await ended()).toBeGreaterThanOrEqual((kill * expected) / (KILLS + 1)),
        PATIENCE_MS,
      );
      await victims[kill % victims.length]![1]();
    }
    await publishing;
    await eventually(async () => expect(await ended()).toBe(expected), PATIENCE_MS);
    const seconds = Math.round((Date.now() - began) / 1_000);

    // None but those that were killed has ended: workers outlive a Temporal that starts again.
    for (const worker of pythons) expect(worker.process.exitCode, worker.output().slice(-3_000)).toBeNull();
    const told = await tellingsOf(sql);
    expect(told.length).toBe(expected);
    for (const { id, name, status, error, types, counted } of told) {
      const count = (type: RegExp) => types.filter((one) => type.test(one)).length;
      const about = `${name} ${id}: ${status} ${error} ${types}`;
      expect([count(/^task_queued$/), count(/^task_(succeeded|failed|revoked)$/)], about).toEqual([1, 1]);
      // Without acks_late, Celery lets no task run twice: one that was lost while it ran is told so.
      if (name === 'features.retries' && status === 'FAILURE') expect(error, about).toBe('WorkerLostError');
      else expect(status, about).toBe('SUCCESS');
      if (name === 'twice' || name === 'features.survives') expect(counted, about).toBe(1);
      if (name === 'features.survives') expect(count(/^task_progressed$/), about).toBeGreaterThan(0);
    }
    expect((await readdir(effects)).length).toBe(sent.filter(({ queue }) => queue === 'mine').length);
    const environment = { ...process.env, DEPLOYMENT_MODE: 'cloud', DATABASE_URL: cloud.postgres.url };
    await promisify(execFile)(process.execPath, [ENTRY, 'audit', 'verify'], { env: environment });
    await eventually(
      async () => expect(await resultsOf(redis.url)).toEqual(new Map(told.map((of) => [of.id, of.status]))),
      PATIENCE_MS,
    );
    const lost = told.filter(({ status }) => status === 'FAILURE').length;
    const starts = told.flatMap(({ types }) => types).filter((type) => type === 'task_started').length;
    console.log(
      `${expected} tasks ended once each in ${seconds} s, ${lost} of them lost with their workers; ${starts} attempts began`,
    );
  });
});

/** A third in TypeScript; of those in Python, one half may run again when its worker is lost. */
function messages(effects: string): Sent[] {
  return Array.from({ length: TASKS - 3 * CHORDS }, (_, n) => {
    const id = randomUUID();
    const [task, queue, args] = [
      ['features.survives', 'killed', []],
      ['twice', 'mine', [effects]],
      ['features.retries', 'killed', [1]],
    ][n % 3] as [string, string, unknown[]];
    return { id, queue, body: { id, task, args } };
  });
}

/** Chords as a client of Celery sends them, which keeps the size in Redis. */
async function chords(redisUrl: string): Promise<Sent[]> {
  const client = await createClient({ url: redisUrl }).connect();
  const members = Array.from({ length: CHORDS }, async () => {
    const group = randomUUID();
    await client.set(`celery-taskset-meta-${group}.s`, '3');
    const options = { task_id: randomUUID(), queue: 'killed', group_id: group };
    const chord = { task: 'features.total', args: [], kwargs: {}, options, subtask_type: null, immutable: false };
    return [0, 1, 2].map((index): Sent => {
      const id = randomUUID();
      const headers = { lang: 'py', task: 'features.survives', id, group, group_index: index, retries: 0 };
      return { id, queue: 'killed', headers, body: [[], {}, { callbacks: null, errbacks: null, chain: null, chord }] };
    });
  });
  const all = (await Promise.all(members)).flat();
  client.destroy();
  return all;
}

/** Publishes until each is confirmed, whatever becomes of RabbitMQ meanwhile. */
async function publish(url: string, sent: Sent[]): Promise<void> {
  for (let first = 0; first < sent.length; first += 20) {
    await eventually(async () => {
      const connection = await connect(url);
      connection.on('error', () => {});
      try {
        const channel = await connection.createConfirmChannel();
        channel.on('error', () => {});
        // RabbitMQ confirms what it drops for want of a queue, and the bridge may not have made them yet.
        for (const queue of new Set(sent.map((one) => one.queue))) await channel.checkQueue(queue);
        for (const { id, queue, body, headers } of sent.slice(first, first + 20)) {
          const how = {
            persistent: true,
            contentType: 'application/json',
            correlationId: id,
            ...(headers && { headers }),
          };
          channel.sendToQueue(queue, Buffer.from(JSON.stringify(body)), how);
        }
        await channel.waitForConfirms();
      } finally {
        await connection.close().catch(() => {});
      }
    }, PATIENCE_MS);
  }
}

/** What the record says of each task. */
async function tellingsOf(sql: postgresJs.Sql): Promise<Told[]> {
  return sql<Told[]>`
    SELECT tasks.id, tasks.name, tasks.status, tasks.error->>'type' AS error,
      array_agg(events.type ORDER BY events.seq) AS types,
      (count(*) FILTER (WHERE events.type = 'task_retried' AND (events.data->>'counted')::boolean))::int AS counted
    FROM tasks JOIN events ON events.stream = 'task:' || tasks.id GROUP BY tasks.id`;
}

/** The states that a client of Celery finds. */
async function resultsOf(redisUrl: string): Promise<Map<string, string>> {
  const client = await createClient({ url: redisUrl }).connect();
  try {
    const keys = await client.keys('celery-task-meta-*');
    const values = keys.length === 0 ? [] : await client.mGet(keys);
    return new Map(values.map((value) => JSON.parse(value ?? '{}')).map(({ task_id, status }) => [task_id, status]));
  } finally {
    client.destroy();
  }
}
