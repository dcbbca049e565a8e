import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { FeedEvent } from '../../src/contracts/event-feed.ts';
import { eventually } from '../world/eventually.ts';
import { seeded } from '../world/seeded.ts';
import { directory, installation, startGitHub } from './program.ts';

/** `EVERY_SECONDS=10 FOR_SECONDS=600 KILLS=5` is a longer run. */
const EVERY_SECONDS = Number(process.env.EVERY_SECONDS ?? 2);
const FOR_SECONDS = Number(process.env.FOR_SECONDS ?? 40);
const KILLS = Number(process.env.KILLS ?? 2);

it(`fires every ${EVERY_SECONDS} s for ${FOR_SECONDS} s over ${KILLS} kills of everything: each time is one build, or on record as skipped`, async () => {
  const seed = Number(process.env.SEED ?? 1);
  const random = seeded(seed);
  const github = await startGitHub(await directory());
  const hapax = await installation(github);
  hapax.start();
  await hapax.ready();
  const body = { build: { config: 'default' }, intervals: [{ every_seconds: EVERY_SECONDS }], overlap: 'allow' };
  const { json: created } = await hapax.call('PUT', '/schedules/often', body);
  const beginning = Date.parse(created.created_at);
  const end = beginning + FOR_SECONDS * 1_000;
  for (let kill = 0; kill < KILLS; kill++) {
    const at = beginning + ((kill + 0.2 + 0.6 * random()) * FOR_SECONDS * 1_000) / KILLS;
    await delay(Math.max(0, at - Date.now()));
    await hapax.killAll();
    hapax.start();
    await hapax.ready();
  }
  const due: string[] = [];
  const every = EVERY_SECONDS * 1_000;
  for (let at = Math.floor(beginning / every) * every + every; at <= end; at += every)
    due.push(new Date(at).toISOString());
  const events = await eventually(async () => {
    const all = await eventsOf(hapax.call);
    const known = new Set(all.flatMap(timesOf));
    expect(due.filter((time) => !known.has(time))).toEqual([]);
    return all;
  });
  expect((await hapax.call('DELETE', '/schedules/often')).status).toBe(204);

  // On record once, and as one thing.
  const times = events.flatMap(timesOf);
  expect(times.length).toBe(new Set(times).size);
  const fired = (await eventsOf(hapax.call)).filter(({ event_type }) => event_type === 'schedule_fired');
  const made = fired.map(({ event_data }) => (event_data!.made as Array<{ made: string }>).map((one) => one.made));
  expect(made.every((one) => one.length === 1)).toBe(true);
  expect(new Set(made.flat()).size).toBe(fired.length);
  for (const build of made.flat()) await hapax.buildEnded(Number(build.replace('build:', '')));
  const { runs, runs_per_token } = await github.oracle();
  expect(runs).toBe(fired.length);
  expect(Object.values(runs_per_token)).toEqual(fired.map(() => 1));
  const late = fired.filter(({ event_data }) => (event_data!.late_ms as number) > 1_500).length;
  const skipped = events.length - events.filter(({ event_type }) => event_type === 'schedule_fired').length;
  console.log(
    `schedule kill test: SEED=${seed}, ${due.length} times, ${fired.length} fired (${late} caught up), ${skipped} other events`,
  );
}, 1_800_000);

type Call = Awaited<ReturnType<typeof installation>>['call'];

async function eventsOf(call: Call): Promise<FeedEvent[]> {
  const all: FeedEvent[] = [];
  for (let after = 0, atEnd = false; !atEnd; ) {
    const { json } = await call('GET', `/events?stream=schedule:often&limit=200&after=${after}`);
    all.push(...json.events);
    after = json.next_after;
    atEnd = json.at_end;
  }
  return all;
}

function timesOf({ event_type, event_data }: FeedEvent): string[] {
  if (event_type === 'schedule_missed') return event_data!.times as string[];
  return event_type === 'schedule_fired' || event_type === 'schedule_skipped' ? [event_data!.time as string] : [];
}
