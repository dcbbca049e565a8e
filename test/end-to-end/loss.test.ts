import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { hapax as runHapax } from '../integration/told-builds.ts';
import { eventually } from '../world/eventually.ts';
import { answers, openReceiver } from '../world/receiver.ts';
import { processesOf } from './processes-of.ts';
import { directory, installation, startGitHub } from './program.ts';

/** Builds, and as many tasks, that are in flight when a store is lost. */
const IN_FLIGHT = Number(process.env.IN_FLIGHT ?? 10);

/** What must have been mended after the start. */
const MENDED_WITHIN_MS = 240_000;

type Hapax = Awaited<ReturnType<typeof installation>>;
type GitHub = Awaited<ReturnType<typeof startGitHub>>;

/** Builds of which some follow a run and some have none yet, and tasks of which some wait and some are being done. */
async function fill(hapax: Hapax, from = 0) {
  const numbers = Array.from({ length: IN_FLIGHT }, (_, n) => from + n);
  const builds = await Promise.all(
    numbers.map((n) => hapax.accepted({ ref: `build-${n}`, inputs: { simulate: 'stuck' } })),
  );
  const eta = new Date(Date.now() + 20_000).toISOString();
  const tasks = await Promise.all(
    numbers.map(async (n) => {
      const transcript_text = `The moon pulls at sea ${n}.`;
      const kwargs = { url: `https://youtu.be/video${String(n).padStart(6, '0')}`, transcript_text };
      const { json } = await hapax.call('POST', '/tasks', {
        name: 'ingest_youtube',
        kwargs,
        ...(n % 2 ? { eta } : {}),
      });
      return json.task_id as string;
    }),
  );
  return { builds, tasks };
}

async function allTriggered(hapax: Hapax, builds: number[]): Promise<void> {
  await eventually(async () => {
    for (const id of builds) expect((await hapax.build(id)).workflow_run_id).toEqual(expect.anything());
  }, 180_000);
}

/** Lets every run end, and waits until every build and task has. */
async function allEnded(hapax: Hapax, github: GitHub, { builds, tasks }: { builds: number[]; tasks: string[] }) {
  const startedAt = Date.now();
  const left = () => MENDED_WITHIN_MS - (Date.now() - startedAt);
  await eventually(async () => {
    for (const run of await github.runs()) {
      if (run.status !== 'completed')
        await github.control('POST', `/runs/${run.id}`, { status: 'completed', conclusion: 'success' });
    }
    for (const id of builds) expect((await hapax.build(id)).completed_at, `build ${id}`).toEqual(expect.anything());
  }, left());
  for (const id of tasks) {
    await eventually(
      async () => expect((await hapax.call('GET', `/tasks/${id}`)).json.status, id).toBe('SUCCESS'),
      left(),
    );
  }
  return Promise.all(builds.map((id) => hapax.build(id)));
}

async function expectSound(hapax: Hapax, github: GitHub, builds: BuildView[]): Promise<void> {
  expect(builds.map(({ status }) => status)).toEqual(builds.map(() => 'success'));
  const { runs_per_token } = await github.oracle();
  const runsPerBuild = new Map<string, number>();
  for (const [token, runs] of Object.entries(runs_per_token)) {
    const build = /^hapax-(\d+)-/.exec(token)![1]!;
    runsPerBuild.set(build, (runsPerBuild.get(build) ?? 0) + runs);
  }
  expect([...runsPerBuild.entries()].filter(([, runs]) => runs !== 1)).toEqual([]);
  for (const { id } of builds) {
    expect((await hapax.call('GET', `/builds/${id}/verify`)).json, `build ${id}`).toMatchObject({ valid: true });
  }
  await eventually(async () => {
    const { json } = await hapax.call('GET', '/health');
    expect(json.reconciliation).toMatchObject({ unresolved: 0 });
  });
}

/** Nothing may write to the stores any more when they are copied or removed. */
async function killAll(hapax: Hapax): Promise<void> {
  await hapax.killAll();
  await eventually(() => expect(processesOf(hapax.environment.HAPAX_HOME)).toEqual([]));
}

/** Runs the program as a user does beside or instead of `npm start`. */
async function command(hapax: Hapax, ...args: string[]): Promise<string> {
  const done = await runHapax(args, { HAPAX_HOME: hapax.environment.HAPAX_HOME });
  expect(done, `hapax ${args.join(' ')}: ${done.stderr}`).toMatchObject({ code: 0 });
  return done.stdout;
}

/** Every hash and every row, as somebody checks who has stopped Hapax. */
async function expectAuditSound(hapax: Hapax): Promise<void> {
  await killAll(hapax);
  expect(await command(hapax, 'audit', 'verify')).toMatch(/sound/);
}

const events = (build: BuildView) => build.events.map(({ event_type }) => event_type);

describe('an installation that lost a store', () => {
  it(`goes on after Temporal's data is gone: ${IN_FLIGHT} builds and ${IN_FLIGHT} tasks in flight`, async () => {
    const github = await startGitHub(await directory());
    const receiver = await openReceiver();
    onTestFinished(() => receiver.close());
    receiver.behave(answers(503));
    const hapax = await installation(github, { CALLBACK_ALLOWED_HOSTS: '127.0.0.1' });
    hapax.start();
    await hapax.ready();
    const told = await hapax.accepted({ ref: 'told', callback_url: receiver.url });
    const inFlight = await fill(hapax);
    await allTriggered(hapax, inFlight.builds);
    await hapax.buildEnded(told);
    await eventually(() => expect(receiver.received).not.toEqual([]));
    await killAll(hapax);
    await rm(join(hapax.environment.HAPAX_HOME, 'temporal'), { recursive: true });
    receiver.behave(answers(204));
    hapax.start();
    await hapax.ready();
    await eventually(
      async () => expect(events(await hapax.build(told))).toContain('callback_delivered'),
      MENDED_WITHIN_MS,
    );
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const builds = await allEnded(hapax, github, inFlight);
    await expectSound(hapax, github, builds);
    for (const build of builds) expect(events(build)).toContain('build_recovered');
    await expectAuditSound(hapax);
  }, 900_000);

  it('goes on after Temporal lost its last moments, as in a power cut', async () => {
    const github = await startGitHub(await directory());
    const hapax = await installation(github);
    const temporal = join(hapax.environment.HAPAX_HOME, 'temporal');
    hapax.start();
    await hapax.ready();
    const before = await fill(hapax);
    await killAll(hapax);
    const copy = join(await directory(), 'temporal');
    await cp(temporal, copy, { recursive: true });
    hapax.start();
    await hapax.ready();
    const after = await fill(hapax, IN_FLIGHT);
    const inFlight = { builds: [...before.builds, ...after.builds], tasks: [...before.tasks, ...after.tasks] };
    await allTriggered(hapax, inFlight.builds);
    await killAll(hapax);
    await rm(temporal, { recursive: true });
    await cp(copy, temporal, { recursive: true });
    hapax.start();
    await hapax.ready();
    await expectSound(hapax, github, await allEnded(hapax, github, inFlight));
  }, 900_000);

  /** Builds and tasks of which the backup knows a part: some were accepted after it, and all went on after it. */
  async function fillAroundBackup(hapax: Hapax) {
    const before = await fill(hapax);
    const backup = join(await directory(), 'backup');
    await command(hapax, 'backup', backup);
    const after = await fill(hapax, IN_FLIGHT);
    await allTriggered(hapax, [...before.builds, ...after.builds]);
    return { before, after, backup };
  }

  it('goes on after Postgres is gone and an earlier copy restored', async () => {
    const github = await startGitHub(await directory());
    const hapax = await installation(github);
    hapax.start();
    await hapax.ready();
    const { before, after, backup } = await fillAroundBackup(hapax);
    await killAll(hapax);
    await rm(join(hapax.environment.HAPAX_HOME, 'postgres'), { recursive: true });
    await command(hapax, 'restore', backup);
    hapax.start();
    await hapax.ready();
    // Temporal knows what the copy does not: nothing is lost.
    const inFlight = { builds: [...before.builds, ...after.builds], tasks: [...before.tasks, ...after.tasks] };
    const builds = await allEnded(hapax, github, inFlight);
    await expectSound(hapax, github, builds);
    const next = await hapax.accepted({ ref: 'next' });
    expect(next).toBeGreaterThan(1_000_000);
    await hapax.buildEnded(next);
    await expectAuditSound(hapax);
  }, 900_000);

  it('goes on after both are gone and an earlier copy restored', async () => {
    const github = await startGitHub(await directory());
    const hapax = await installation(github);
    hapax.start();
    await hapax.ready();
    const { before, after, backup } = await fillAroundBackup(hapax);
    await killAll(hapax);
    for (const store of ['postgres', 'temporal']) {
      await rm(join(hapax.environment.HAPAX_HOME, store), { recursive: true });
    }
    await command(hapax, 'restore', backup);
    hapax.start();
    await hapax.ready();
    const builds = await allEnded(hapax, github, before);
    await expectSound(hapax, github, builds);
    // What was accepted after the copy is lost, and nobody gets its id.
    for (const id of after.builds) expect((await hapax.call('GET', `/builds/${id}`)).status).toBe(404);
    await expectAuditSound(hapax);
  }, 900_000);
});
