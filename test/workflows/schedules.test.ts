import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Inspection } from '../fuzz/real-checks.ts';
import { type Lived, retryOrHelp, runSchedule, SETTINGS, settle } from '../fuzz/real-schedule.ts';
import { openWorld, type World } from '../world/world.ts';

/** `npm run fuzz -- --temporal` says how many and from which seed. */
const SCHEDULES = Number(process.env.FUZZ_SCHEDULES ?? 12);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
/** So many live in one world at the same time. */
const AT_ONCE = 50;
const TIME_TO_END_MS = 60_000;

let world: World;
let inspection: Inspection;
beforeAll(async () => {
  world = await openWorld('server', SETTINGS);
  inspection = new Inspection(world);
});
afterAll(async () => {
  await inspection.close();
  await world.close();
});

it(`${SCHEDULES} schedules over Temporal's server leave one run per build, an end and a sound log each, from seed ${SEED}`, async () => {
  const startedAt = performance.now();
  let builds = 0;
  let replaced = 0;
  let steps = 0;
  for (let first = SEED; first < SEED + SCHEDULES; first += AT_ONCE) {
    const seeds = Array.from({ length: Math.min(AT_ONCE, SEED + SCHEDULES - first) }, (_, n) => first + n);
    let replacing = Promise.resolve();
    const replaceWorker = () => {
      replacing = replacing.then(async () => {
        replaced += 1;
        await world.stopWorker();
        await delay(300);
        await world.startWorker();
      });
      return replacing;
    };
    await settle(world, first);
    const lived = await Promise.all(seeds.map((seed) => runSchedule(world, seed, replaceWorker)));
    await world.github.control('DELETE', '/faults');
    const ids = [...new Set(lived.flatMap(({ accepted }) => accepted.map(({ id }) => id)))];
    const isOver = await comeToAnEnd(ids);
    const violations = await inspection.violations(lived, isOver);
    builds += ids.length;
    steps += lived.reduce((sum, { story }) => sum + story.length, 0);
    if (violations.length > 0) await show(first, seeds.length, violations, lived);
    expect(violations, `repeat with --temporal --seed ${first} --schedules ${seeds.length}`).toEqual([]);
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(
      `from seed ${SEED}: ${first + seeds.length - SEED} schedules over a Temporal server, ${builds} builds, ${steps} faults and words, ` +
        `${replaced} workers replaced in ${seconds.toFixed(1)} s, 0 violations`,
    );
  }
}, 3_600_000);

/** Looks after the builds until all have ended and their workflows too; false where that takes too long. */
async function comeToAnEnd(ids: readonly number[]): Promise<boolean> {
  const until = Date.now() + TIME_TO_END_MS;
  const call = (method: string, path: string, body: object) => world.call(method, path, body);
  while (Date.now() < until) {
    const rows = await inspection.builds(ids);
    for (const { id, needs_attention } of rows) if (needs_attention) await retryOrHelp(world, id, {}, call);
    const hasEnded = rows.every(({ completed_at }) => completed_at !== null);
    if (hasEnded && (await inspection.isQuiet())) return true;
    await delay(100);
  }
  return false;
}

async function show(first: number, count: number, violations: readonly string[], lived: readonly Lived[]) {
  const named = new Set(
    violations
      .join(' ')
      .match(/build:? ?(\d+)/g)
      ?.map((text) => Number(text.replace(/\D/g, ''))),
  );
  const concerned = lived.filter(({ accepted }) => accepted.some(({ id }) => named.has(id)));
  const lines = [
    `VIOLATION among ${count} schedules from seed ${first}:`,
    ...violations,
    ...concerned.flatMap(({ story }) => story),
    ...(await inspection.story([...named])),
  ];
  console.log(lines.join('\n'));
}
