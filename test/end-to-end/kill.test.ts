import { describe, expect, it } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { eventually } from '../world/eventually.ts';
import { seeded } from '../world/seeded.ts';
import { processesOf } from './processes-of.ts';
import { directory, installation, startGitHub } from './program.ts';

/** `KILLS=20` is a longer run, and with `QUEUE_ENABLED=false` all dispatches are direct. */
const KILLS = Number(process.env.KILLS ?? 3);
const BUILDS = 4 * KILLS;

describe('npm start', () => {
  it(`loses nothing and sends nothing twice: ${BUILDS} builds, ${KILLS} kills of everything`, async () => {
    const seed = Number(process.env.SEED ?? 1);
    console.log(`kill test: SEED=${seed}`);
    const random = seeded(seed);
    const github = await startGitHub(await directory());
    const hapax = await installation(github, {
      QUEUE_ENABLED: process.env.QUEUE_ENABLED ?? 'true',
    });
    hapax.start();
    await hapax.ready();

    const accepting = Array.from({ length: BUILDS }, async (_, n) => {
      await until(n * 500);
      return hapax.accepted({ ref: `build-${n}` });
    });
    for (let kill = 0; kill < KILLS; kill++) {
      await until(random() * 2_500);
      await hapax.killAll();
      hapax.start();
      await hapax.ready();
    }
    const ids = await Promise.all(accepting);
    const builds: BuildView[] = [];
    for (const id of ids) builds.push(await hapax.buildEnded(id));

    expect(new Set(ids).size).toBe(BUILDS);
    expect(hapax.output + JSON.stringify(builds)).not.toContain(hapax.environment.GITHUB_TOKEN);
    expect(builds.map((build) => build.status)).toEqual(ids.map(() => 'success'));
    const { runs, runs_per_token } = await github.oracle();
    expect(runs).toBe(BUILDS);
    expect(Object.values(runs_per_token)).toEqual(ids.map(() => 1));
    for (const build of builds) {
      expect(build.events.map((event) => event.seq)).toEqual(build.events.map((_, index) => index + 1));
      const token = build.events.findLast((event) => event.event_type === 'dispatch_intended')?.event_data?.token;
      expect((await github.runs()).find((run) => run.id === build.workflow_run_id)?.token).toBe(token);
    }
  }, 600_000);

  it('outlives the death of its Temporal server', async () => {
    const github = await startGitHub(await directory());
    const hapax = await installation(github);
    hapax.start();
    await hapax.ready();
    const before = await hapax.accepted({ ref: 'before' });
    const pid = hapax.temporalPid();
    process.kill(pid, 'SIGKILL');
    await eventually(() => expect(hapax.temporalPid()).not.toBe(pid));
    const after = await hapax.accepted({ ref: 'after' });
    for (const id of [before, after]) expect((await hapax.buildEnded(id)).status).toBe('success');
    expect((await github.oracle()).runs).toBe(2);
  });

  it('stops in order on Ctrl-C, leaves no process, and keeps what was', async () => {
    const github = await startGitHub(await directory());
    const hapax = await installation(github);
    hapax.start();
    await hapax.ready();
    const id = await hapax.accepted({ ref: 'kept' });
    const ended = await hapax.buildEnded(id);
    hapax.signal('SIGINT');
    await hapax.ended();
    await eventually(() => expect(hapax.output).toMatch(/^hapax: stopped$/m));
    await eventually(() => expect(processesOf(hapax.environment.HAPAX_HOME)).toEqual([]));
    hapax.start();
    await hapax.ready();
    // Temporal's Web UI has another port now.
    const kept = await hapax.build(id);
    expect({ ...kept, links: { ...kept.links, workflow: ended.links.workflow } }).toEqual(ended);
    const again = await hapax.trigger({ ref: 'kept' });
    expect(again.json).toMatchObject({ id, message: 'Build already exists' });
  });

  it('says in one line what to do where its port or its directory is taken, and runs beside another', async () => {
    const github = await startGitHub(await directory());
    // Both with the ports of Temporal and its Web UI that are usual, which only the first can have.
    const usual = { TEMPORAL_PORT: '', TEMPORAL_UI_PORT: '' };
    const one = await installation(github, usual);
    one.start();
    await one.ready();
    // The API answers a moment before the directory says where.
    await eventually(() => expect(one.output).toContain('hapax: ready;'));
    const samePort = await installation(github, { PORT: String(one.port) });
    samePort.start();
    expect((await samePort.ended()).code).toBe(1);
    expect(samePort.output).toContain(`hapax: port ${one.port} is in use (PORT): stop the other program or set PORT`);
    const sameHome = await installation(github, { HAPAX_HOME: one.environment.HAPAX_HOME });
    sameHome.start();
    expect((await sameHome.ended()).code).toBe(1);
    expect(sameHome.output).toMatch(
      /hapax: another hapax \(pid \d+, http:\/\/127.0.0.1:\d+\) is using .*: stop it or set HAPAX_HOME/,
    );
    const beside = await installation(github, usual);
    beside.start();
    await beside.ready();
    const ids = [await one.accepted({ ref: 'one' }), await beside.accepted({ ref: 'two' })] as const;
    expect((await one.buildEnded(ids[0])).status).toBe('success');
    expect((await beside.buildEnded(ids[1])).status).toBe('success');
  });

  it('stops at a wrong setting with a line per fault', async () => {
    const hapax = await installation({ url: 'not-a-url' }, { PORT: 'eighty', DEDUP_WINDOW: 'soon' });
    hapax.start();
    expect((await hapax.ended()).code).toBe(1);
    const faults = hapax.output.split('\n').filter((line) => line.startsWith('hapax: '));
    expect(faults.map((line) => line.split(':')[1]?.trim())).toEqual(['PORT', 'GITHUB_API_URL', 'DEDUP_WINDOW']);
  });
});

function until(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
