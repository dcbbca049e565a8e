import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import postgresJs from 'postgres';
import { expect, it } from 'vitest';
import { findTemporalCli } from '../../src/laptop/temporal-cli.ts';
import { type Cloud, openCloud } from '../end-to-end/cloud.ts';
import { eventually } from '../world/eventually.ts';
import { seeded } from '../world/seeded.ts';
import { faultsOfLog, LOG_ROWS, type LogRow } from './log-check.ts';

/** Run by `npm run fuzz -- --kills N`. */
const KILLS = Number(process.env.FUZZ_KILLS ?? 5);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

const VICTIMS = ['api', 'worker', 'temporal', 'postgres'] as const;
type Victim = (typeof VICTIMS)[number];

/** Who asks for builds, each with one request out at a time. */
const CLIENTS = 8;

const killing: Record<Victim, (cloud: Cloud) => Promise<unknown>> = {
  api: ({ api }) => api.kill(),
  worker: ({ worker }) => worker.kill(),
  temporal: ({ temporal }) => temporal.kill(),
  postgres: ({ postgres }) => postgres.stop('SIGKILL'),
};
const starting: Record<Victim, (cloud: Cloud) => unknown> = {
  api: ({ api }) => api.start(),
  worker: ({ worker }) => worker.start(),
  temporal: ({ temporal }) => eventually(() => temporal.start()),
  // Processes of the server that was killed hold its shared memory for a moment.
  postgres: ({ postgres }) => eventually(() => postgres.start()),
};

it(`loses nothing and does nothing twice: ${KILLS} kills of API, worker, Temporal and Postgres, seed ${SEED}`, async () => {
  const random = seeded(SEED);
  const cloud = await openCloud(await findTemporalCli({ env: process.env, report: console.log }), {
    QUEUE_RETRY_DELAY: '200ms',
    QUEUE_MAX_RETRIES: '10',
    WORKER_CONCURRENCY: '8',
  });
  await cloud.temporal.start();
  cloud.startRoles();
  await eventually(async () => expect(await cloud.health()).toMatchObject({ temporal: 'ok', workers: 'ok' }));

  const startedAt = Date.now();
  let asking = true;
  let requests = 0;
  const accepted: number[] = [];
  const client = async (name: number) => {
    for (let n = 1; asking; n++) {
      const key = { 'idempotency-key': `${SEED}-${name}-${n}` };
      const id = await eventually(async () => {
        requests += 1;
        const { status, json } = await cloud.asked('POST', '/builds/trigger', { ref: `build-${name}-${n}` }, key);
        if (status !== 202) throw new Error(`refused with ${status}`);
        return json.id as number;
      }, 120_000);
      accepted.push(id);
      await delay(random() * 400);
    }
  };
  const load = Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(name)));

  const killed: Record<Victim, number> = { api: 0, worker: 0, temporal: 0, postgres: 0 };
  for (let kills = 0; kills < KILLS; ) {
    await delay(random() * 1_500);
    const victims = VICTIMS.filter(() => random() < 0.3).slice(0, KILLS - kills);
    await Promise.all(victims.map((victim) => killing[victim](cloud)));
    await delay(random() * 500);
    await Promise.all(victims.map((victim) => starting[victim](cloud)));
    for (const victim of victims) killed[victim] += 1;
    kills += victims.length;
  }
  asking = false;
  await load.catch((error: unknown) => {
    // A process that did not come back says why.
    console.log(`${cloud.api.output.slice(-4_000)}\n${cloud.worker.output.slice(-4_000)}`);
    throw error;
  });

  const sql = postgresJs(cloud.postgres.url, { max: 1, onnotice: () => {} });
  const connection = await Connection.connect({ address: cloud.temporal.address });
  const temporal = new Client({ connection });
  try {
    const open = await eventually(async () => {
      const rows = await sql`SELECT id, status FROM builds WHERE completed_at IS NULL`;
      if (rows.length > 0) throw new Error(`builds that have not ended: ${JSON.stringify(rows)}`);
      return rows.length;
    }, 120_000);
    const rows = await sql.unsafe<LogRow[]>(LOG_ROWS);
    const { runs, runs_per_token, dispatch_requests } = await eventually(() => cloud.github.oracle());
    const ends = rows.filter(({ type }) => type === 'build_completed' || type === 'build_cancelled');
    const { count: workflows } = await temporal.workflow.count();
    console.log(
      JSON.stringify({
        seed: SEED,
        killed,
        seconds: Math.round((Date.now() - startedAt) / 1_000),
        requests,
        accepted: accepted.length,
        workflows,
        terminal_events: ends.length,
        runs,
        dispatch_requests,
        ambiguous: rows.filter(({ type }) => type === 'dispatch_ambiguous').length,
        events: rows.length,
        open,
      }),
    );
    expect(new Set(accepted).size).toBe(accepted.length);
    expect(workflows).toBe(accepted.length);
    expect(ends.map(({ stream, to_status }) => `${stream} ${to_status}`).sort()).toEqual(
      accepted.map((id) => `build:${id} success`).sort(),
    );
    expect(runs).toBe(accepted.length);
    // A token names its build: hapax-<build>-<attempt>-<random>.
    expect(
      Object.keys(runs_per_token)
        .map((token) => Number(token.split('-')[1]))
        .sort(),
    ).toEqual(accepted.toSorted());
    expect(new Set(Object.values(runs_per_token))).toEqual(new Set([1]));
    expect(faultsOfLog(rows)).toEqual([]);
  } finally {
    await connection.close();
    await sql.end();
  }
}, 3_600_000);
