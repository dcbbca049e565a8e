import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { startStandIn } from '../world/http-stand-in.ts';
import { openWorld } from '../world/world.ts';
import { directory, Program } from './program.ts';

const PAGE = `<html><head><title>Of pages</title></head><body><article><h1>Of pages</h1>${'<p>A page has words, and these are some.</p>'.repeat(20)}</article></body></html>`;

it('a worker process that Flower tells to stop ends what it works at, takes nothing more, and exits', async () => {
  // Workflows are worked at here; tasks by processes of their own.
  const world = await openWorld('server', { WORKER_QUEUES: 'workflows' });
  onTestFinished(() => world.close());
  let answerPage = () => {};
  const asked = new Promise<void>((resolve) => (answerPage = resolve));
  let reads = 0;
  const site = await startStandIn(async () => {
    reads += 1;
    await asked;
    return { body: PAGE };
  });
  onTestFinished(() => site.close());
  const home = await directory();
  const environment = {
    WORKER_QUEUES: 'content',
    DATABASE_URL: world.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: world.namespace,
    GITHUB_TOKEN: 'test-token',
    GITHUB_REPO: 'acme/images',
    INGEST_ALLOWED_HOSTS: '127.0.0.1',
    HAPAX_HOME: home,
  };
  const start = () => {
    const program = new Program(process.execPath, ['bin/hapax.js', 'worker'], environment, join(home, 'worker.log'));
    onTestFinished(() => program.kill());
    return program;
  };
  const flower = (method: string, path: string) => world.call(method, `/api${path}`);
  /** The worker, once Flower lists it, that is neither this process nor one of those known before. */
  const listed = (...known: string[]) =>
    eventually(async () => {
      const names = Object.keys((await flower('GET', '/workers')).json);
      const [name] = names.filter((name) => !name.startsWith(`${process.pid}@`) && !known.includes(name));
      if (!name) throw new Error(`only ${names} are listed`);
      return name;
    });
  const queues = async (name: string) => {
    const { json } = await flower('GET', `/workers?refresh=1&workername=${encodeURIComponent(name)}`);
    return json[name].active_queues.map((queue: { name: string }) => queue.name);
  };
  const ask = async (page: string) =>
    (await world.call('POST', '/tasks', { name: 'ingest_url', args: [`${site.url}/${page}`] })).json.task_id as string;
  const task = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;

  const first = start();
  const name = await listed();
  expect(await queues(name)).toEqual(['content']);
  // Not among those that it was started with.
  expect((await flower('POST', `/worker/queue/add-consumer/${name}?queue=search`)).status).toBe(200);
  expect(await queues(name)).toEqual(['content', 'search']);
  const searched = await world.call('POST', '/tasks', { name: 'semantic_search', args: ['anything'] });
  await eventually(async () =>
    expect(await task(searched.json.task_id)).toMatchObject({ status: 'SUCCESS', worker: name }),
  );

  const reading = await ask('one');
  await eventually(() => expect(reads).toBe(1));
  const told = await flower('POST', `/worker/shutdown/${name}`);
  expect([told.status, told.text]).toEqual([200, '{"message": "Shutting down!"}']);
  const later = await ask('two');
  answerPage();
  expect(await first.ended).toEqual({ code: 0, signal: null });
  await eventually(async () => expect(await task(reading)).toMatchObject({ status: 'SUCCESS', worker: name }));
  expect(await task(later)).toMatchObject({ status: 'PENDING', started_at: null });
  expect(reads).toBe(1);
  // It is gone: nothing is left to do, and nobody hears what else it is told.
  expect((await flower('POST', `/worker/shutdown/${name}`)).text).toBe('{"message": "Shutting down!"}');
  const unheard = await flower('POST', `/worker/queue/add-consumer/${name}?queue=search`);
  expect([unheard.status, unheard.text]).toEqual([
    403,
    `Failed to add 'search' consumer to '${name}' worker: Unknown reason`,
  ]);

  // What was told is forgotten with the process.
  start();
  const second = await listed(name);
  await eventually(async () => expect(await task(later)).toMatchObject({ status: 'SUCCESS', worker: second }));
  expect(await queues(second)).toEqual(['content']);
});
