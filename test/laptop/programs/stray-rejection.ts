/** Runs a task that leaves a rejected promise alone, or leaves one alone itself. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { OwnTasks } from '../../../src/activities/own-tasks.ts';
import { keepStrayRejections } from '../../../src/processes/stray-rejections.ts';
import { defineTask, z } from '../../../src/tasks/index.ts';

const never = new Promise<never>(() => undefined);
const task = defineTask({
  name: 'careless',
  arguments: z.object({}),
  async run(_, { fetch, signal }) {
    void fetch('http://127.0.0.1/', { signal }).catch(() => undefined);
    void fetch('http://127.0.0.1/');
    void Promise.reject(new Error('left alone'));
    return never;
  },
});
const aborted = new Promise<never>((_, reject) => setTimeout(reject, 1, new Error('aborted')));
const own = new OwnTasks({ db: {} as never, fetch: () => aborted, secrets: undefined }, { find: () => undefined });
own.replace([task]);
const { code } = keepStrayRejections(own, { error: (more: object) => console.error(more) });
const asked = { task_id: 'careless-1', name: 'careless', args: [], kwargs: {}, attempt: 1, step: '' };
const { signal } = new AbortController();
const context = { taskId: 'careless-1', attempt: 1, signal, progress: undefined, heartbeat: () => undefined };
const error: unknown = await new MockActivityEnvironment()
  .run(() => code.find('careless')!.run(asked, context))
  .catch((thrown: unknown) => thrown);
console.log(`the attempt failed: ${(error as Error).message}`);
setTimeout(() => void Promise.reject(new Error('of nobody')), 50);
setTimeout(() => console.log('still here'), 10_000);
