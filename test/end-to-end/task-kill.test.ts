import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { directory, installation, startGitHub } from './program.ts';

const TASKS = 20;
/** `KILLS=10` is a longer run. */
const KILLS = Number(process.env.KILLS ?? 2);

it(`loses no task and makes none twice: ${TASKS} tasks, ${KILLS} kills of everything`, async () => {
  const github = await startGitHub(await directory());
  const hapax = await installation(github, { TASK_RETRY_DELAY: '100ms' });
  hapax.start();
  await hapax.ready();

  const asked = Array.from({ length: TASKS }, async (_, n) => {
    const task_id = `task-${n}`;
    await delay(n * 400);
    const eta = new Date(Date.now() + 1_000).toISOString();
    // Until it is accepted, as a client does that must not lose it.
    await eventually(async () => {
      const { status } = await hapax.call('POST', '/tasks', {
        name: 'semantic_search',
        args: [`words ${n}`],
        task_id,
        ...(n % 2 === 0 ? { eta } : {}),
      });
      expect(status).toBe(202);
    });
    return task_id;
  });
  for (let kill = 0; kill < KILLS; kill++) {
    await delay(1_500);
    await hapax.killAll();
    hapax.start();
    await hapax.ready();
  }
  const ids = await Promise.all(asked);
  for (const id of ids) {
    const { events, task } = await eventually(async () => {
      const { json: task } = await hapax.call('GET', `/tasks/${id}`);
      expect(task.completed_at, JSON.stringify(task)).toEqual(expect.any(String));
      return { task, events: (await hapax.call('GET', `/tasks/${id}/events`)).json };
    });
    const types = events.map((event: { event_type: string }) => event.event_type);
    expect(types.filter((type: string) => type === 'task_queued')).toHaveLength(1);
    expect(types.filter((type: string) => /^task_(succeeded|failed|revoked)$/.test(type))).toHaveLength(1);
    expect(events.map((event: { seq: number }) => event.seq)).toEqual(types.map((_: string, at: number) => at + 1));
    // What Flower tells is read from the record as well.
    const { json: told } = await hapax.call('GET', `/api/task/result/${id}`);
    expect(told).toMatchObject({ 'task-id': id, state: task.status });
  }
  const { json: listed } = await hapax.call('GET', '/tasks?limit=200');
  expect(listed.tasks.map((task: { task_id: string }) => task.task_id).sort()).toEqual([...ids].sort());
}, 300_000);
