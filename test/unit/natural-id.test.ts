import { expect, it } from 'vitest';
import { findNaturalTask } from '../../src/commands/tasks/natural-id.ts';
import type { Task } from '../../src/domain/tasks/task.ts';

const VIDEO = { url: 'https://youtu.be/dQw4w9WgXcQ', priority: false };
const kept = async () => false;
const task = (id: string, change: Partial<Task> = {}) =>
  ({ id, name: 'ingest_youtube', args: [VIDEO.url], kwargs: {}, erased_at: null, ...change }) as Task;

it('a video whose task was erased is begun again, however often, and once each time', async () => {
  const made = new Map<string, Task>();
  const find = () => findNaturalTask(async (id) => made.get(id), 'ingest_youtube', VIDEO, kept);
  for (let n = 0; n < 30; n++) {
    const { id, known } = (await find())!;
    expect(known).toBeUndefined();
    made.set(id, task(id));
    expect(await find()).toEqual({ id, known: made.get(id) });
    made.set(id, task(id, { args: [], erased_at: '2026-11-30T00:00:00.000Z' }));
  }
  expect(made.size).toBe(30);
});

it('a video is refused where others hold too many of its ids', async () => {
  const asked: string[] = [];
  const find = async (id: string) => {
    asked.push(id);
    return task(id, { name: 'semantic_search' });
  };
  expect(await findNaturalTask(find, 'ingest_youtube', VIDEO, kept)).toMatchObject({
    known: { name: 'semantic_search' },
  });
  expect(new Set(asked).size).toBe(10);
});

it('a video whose content was erased is begun again, also while others ask for it', async () => {
  const made = new Map<string, Task>();
  const asked: string[] = [];
  const find = () =>
    findNaturalTask(
      async (id) => made.get(id),
      'ingest_youtube',
      VIDEO,
      async (contentId) => asked.push(contentId) > 0,
    );
  for (let n = 0; n < 30; n++) {
    const { id, known } = (await find())!;
    expect(known).toBeUndefined();
    made.set(id, task(id, { status: 'PENDING' }));
    expect(await find()).toEqual({ id, known: made.get(id) });
    made.set(id, task(id, { status: 'SUCCESS' }));
  }
  expect(made.size).toBe(30);
  expect(new Set(asked)).toEqual(new Set(['yt:dQw4w9WgXcQ']));
});
